//! Maps: what is written is there, what fails is told, what others write is noticed.

use navstar_kernel::bpf::BpfError;
use navstar_kernel::bpf::audit::{AUDITS_PER_FULL_ONE, Audit};
use navstar_kernel::bpf::map::Map;

use super::ground::{Ground, load_with, on_ground};

fn slot(number: u32) -> Vec<u8> {
    [7_u32.to_ne_bytes(), number.to_ne_bytes()].concat()
}

fn slots(numbers: std::ops::Range<u32>) -> Vec<u8> {
    numbers.flat_map(slot).collect()
}

fn values(numbers: std::ops::Range<u32>) -> Vec<u8> {
    numbers
        .flat_map(|number| [&number.to_ne_bytes()[..], &[0; 16]].concat())
        .collect()
}

fn open(ground: &Ground, name: &str) -> Map {
    if !ground.pins.exists() {
        drop(load_with(&ground.pins, true, &[("slots", 150_000)]).unwrap());
    }
    Map::open_pinned(&ground.pins.join(name)).unwrap()
}

fn audit(map: &mut Map) -> bool {
    let mut audit = Audit::start(map).expect("was dumped");
    loop {
        if let Some(is_same) = audit.step(map).unwrap() {
            return is_same;
        }
    }
}

const FINE: Vec<i32> = Vec::new();

#[test]
fn a_dump_is_complete() {
    on_ground("a_dump_is_complete", |ground| {
        let mut map = open(ground, "slots");
        assert_eq!(
            map.update(&slots(0..100_000), &values(0..100_000)).unwrap(),
            FINE
        );
        let entries = map.dump().unwrap();
        let mut seen: Vec<(&[u8], &[u8])> = entries
            .keys
            .chunks(8)
            .zip(entries.values.chunks(20))
            .collect();
        assert_eq!(seen.len(), 100_000);
        seen.sort_unstable();
        let (keys, values) = (slots(0..100_000), values(0..100_000));
        let mut written: Vec<(&[u8], &[u8])> = keys.chunks(8).zip(values.chunks(20)).collect();
        written.sort_unstable();
        assert!(seen == written);
    });
}

#[test]
fn each_failed_entry_has_its_errno_and_the_others_are_done() {
    on_ground(
        "each_failed_entry_has_its_errno_and_the_others_are_done",
        |ground| {
            let mut map = open(ground, "slots");
            assert_eq!(map.update(&slots(0..6), &values(0..6)).unwrap(), FINE);
            let keys = [slot(1), slot(90), slot(3), slot(91), slot(5)].concat();
            let absent = libc::ENOENT;
            assert_eq!(map.delete(&keys).unwrap(), [0, absent, 0, absent, 0]);
            assert_eq!(map.dump().unwrap().keys.len(), 3 * 8);
            assert_eq!(map.delete(&slot(90)).unwrap(), [absent]);

            // More than fit: the last ones are refused.
            let all = map.dump().unwrap().keys;
            assert_eq!(map.delete(&all).unwrap(), FINE);
            let errnos = map.update(&slots(0..150_010), &values(0..150_010)).unwrap();
            let refused = errnos.iter().filter(|errno| **errno == libc::E2BIG).count();
            let done = errnos.iter().filter(|errno| **errno == 0).count();
            assert_eq!((done, refused), (150_000, 10));
        },
    );
}

#[test]
fn buffers_that_do_not_fit_are_refused_untouched() {
    on_ground("buffers_that_do_not_fit_are_refused_untouched", |ground| {
        let mut map = open(ground, "slots");
        for (keys, values) in [(8, 19), (7, 20), (16, 20), (8, 40), (0, 20)] {
            let outcome = map.update(&vec![0; keys], &vec![0; values]);
            assert!(
                matches!(outcome, Err(BpfError::Shape { .. })),
                "{keys} {values}"
            );
        }
        assert!(matches!(map.delete(&[0; 9]), Err(BpfError::Shape { .. })));
        assert_eq!(map.update(&[], &[]).unwrap(), FINE);
        assert_eq!(map.dump().unwrap().keys, []);
    });
}

#[test]
fn an_audit_knows_our_writes_from_those_of_others() {
    on_ground("an_audit_knows_our_writes_from_those_of_others", |ground| {
        let mut map = open(ground, "slots");
        let mut foreign = map.try_clone().unwrap();
        assert!(Audit::start(&mut map).is_none(), "nothing to compare with");
        map.dump().unwrap();
        map.update(&slots(0..10_000), &values(0..10_000)).unwrap();
        map.update(&slots(0..10), &values(10..20)).unwrap();
        map.delete(&[slot(9), slot(99_999)].concat()).unwrap();
        assert!(audit(&mut map));

        foreign.update(&slot(5), &values(0..1)).unwrap();
        assert!(!audit(&mut map), "a changed value");
        map.update(&slot(5), &values(15..16)).unwrap();
        assert!(audit(&mut map), "put right");
        foreign.delete(&slot(6)).unwrap();
        assert!(!audit(&mut map), "a deleted entry");
        map.dump().unwrap();
        assert!(audit(&mut map), "taken as it is");
        foreign.update(&slot(120_000), &values(0..1)).unwrap();
        assert!(!audit(&mut map), "an added entry");
        assert_eq!(map.delete(&slot(6)).unwrap(), [libc::ENOENT]);
    });
}

#[test]
fn audits_of_few_entries_find_an_added_one_in_time_and_all_else_at_once() {
    let name = "audits_of_few_entries_find_an_added_one_in_time_and_all_else_at_once";
    on_ground(name, |ground| {
        let mut map = open(ground, "slots");
        let mut foreign = map.try_clone().unwrap();
        map.dump().unwrap();
        map.update(&slots(0..100), &values(0..100)).unwrap();
        map.delete(&slot(99)).unwrap();
        for _ in 0..2 * AUDITS_PER_FULL_ONE {
            assert!(audit(&mut map));
        }
        for _ in 0..AUDITS_PER_FULL_ONE {
            foreign.update(&slot(5), &values(0..1)).unwrap();
            assert!(!audit(&mut map), "a changed value");
            foreign.update(&slot(5), &values(5..6)).unwrap();
            assert!(audit(&mut map), "put right");
            foreign.delete(&slot(6)).unwrap();
            assert!(!audit(&mut map), "a deleted entry");
            foreign.update(&slot(6), &values(6..7)).unwrap();
        }
        foreign.update(&slot(500), &values(0..1)).unwrap();
        let found = (0..AUDITS_PER_FULL_ONE).filter(|_| !audit(&mut map));
        assert_eq!(found.count(), 1, "an added entry");
    });
}

#[test]
fn an_audit_is_not_confused_by_our_writes_between_its_slices() {
    on_ground(
        "an_audit_is_not_confused_by_our_writes_between_its_slices",
        |ground| {
            let mut map = open(ground, "slots");
            map.update(&slots(0..20_000), &values(0..20_000)).unwrap();
            map.dump().unwrap();
            let mut audit = Audit::start(&mut map).unwrap();
            let mut round = 0;
            let is_same = loop {
                if let Some(is_same) = audit.step(&mut map).unwrap() {
                    break is_same;
                }
                round += 1;
                let shift = round % 1_000;
                map.update(&slots(0..20_000), &values(shift..shift + 20_000))
                    .unwrap();
            };
            assert!(is_same);
        },
    );
}

#[test]
fn arrays_and_per_cpu_arrays_are_read_and_written() {
    on_ground("arrays_and_per_cpu_arrays_are_read_and_written", |ground| {
        let mut ranges = open(ground, "ranges");
        let (keys, values) = (
            [1_u32.to_ne_bytes(), 3_u32.to_ne_bytes()].concat(),
            vec![9; 80],
        );
        assert_eq!(ranges.update(&keys, &values).unwrap(), FINE);
        let entries = ranges.dump().unwrap();
        assert_eq!((entries.keys.len(), entries.values.len()), (8 * 4, 8 * 40));
        assert_eq!(entries.values[40..80], [9; 40]);
        assert_eq!(entries.values[80..120], [0; 40]);
        assert_eq!(
            ranges.update(&9_u32.to_ne_bytes(), &[0; 40]).unwrap(),
            [libc::E2BIG]
        );

        let mut stats = open(ground, "stats");
        let cpus = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap();
        let last: usize = cpus.trim().rsplit('-').next().unwrap().parse().unwrap();
        assert_eq!(stats.shape().value_size, 8 * (last + 1));
        assert_eq!(stats.dump().unwrap().values.len(), 5 * 8 * (last + 1));
    });
}
