//! The client against the kernel.

use super::*;
use crate::errno::Errno;

const NEW: fn(Service) -> Operation = Operation::NewService;

#[test]
fn makes_changes_and_deletes_what_it_reads_back() {
    with_ipvs("makes_changes_and_deletes_what_it_reads_back", |client| {
        let mark = ServiceKey::Mark {
            family: Family::V6,
            mark: 7,
        };
        let sticky = Service {
            flags: Flags::PERSISTENT,
            persistence_seconds: 300,
            persistence_prefix: 24,
            ..service(web(), "wlc")
        };
        let dns = Service {
            flags: Flags::ONE_PACKET,
            ..service(key(Transport::UDP, "fd01:c::5", 53), "rr")
        };
        let sctp = service(key(Transport::SCTP, "11.0.0.2", 0x1234), "mh");
        let fallback = Service {
            flags: Flags::SCHEDULER_1 | Flags::SCHEDULER_2,
            ..service(mark, "sh")
        };
        let mut services = vec![sticky, dns, sctp, fallback];
        let one = Destination {
            weight: 3,
            upper_threshold: 100,
            lower_threshold: 50,
            ..destination("10.0.0.1", 8080)
        };
        let two = Destination {
            forwarding: Forwarding::Direct,
            ..destination("10.0.0.2", 80)
        };
        let six = Destination {
            forwarding: Forwarding::Tunnel,
            weight: 0,
            ..destination("fd00::1", 53)
        };
        let mut operations: Vec<Operation> = services.iter().cloned().map(NEW).collect();
        operations.extend([
            Operation::NewDestination(web(), one),
            Operation::NewDestination(web(), two),
            Operation::NewDestination(services[1].key, six),
        ]);
        assert_eq!(answers(client, &operations), ["OK"; 7]);
        let mut observed = client.observe().unwrap();
        observed.sort_by_key(|one| one.service.key);
        services.sort_by_key(|one| one.key);
        let read: Vec<Service> = observed.iter().map(|one| one.service.clone()).collect();
        assert_eq!(read, services);
        assert_eq!(destinations(client, &web()), [one, two]);
        assert_eq!(destinations(client, &dns_key()), [six]);

        let drained = Destination { weight: 0, ..one };
        let changes = [
            Operation::SetService(service(web(), "rr")),
            Operation::SetDestination(web(), drained),
            Operation::DeleteDestination(web(), two.endpoint),
            Operation::DeleteService(dns_key()),
            Operation::DeleteService(mark),
        ];
        assert_eq!(answers(client, &changes), ["OK"; 5]);
        let observed = client.observe().unwrap();
        assert_eq!(observed.len(), 2);
        assert_eq!(destinations(client, &web()), [drained]);
        let edited = observed.iter().find(|one| one.service.key == web());
        assert_eq!(edited.unwrap().service, service(web(), "rr"));
    });
}

fn dns_key() -> ServiceKey {
    key(Transport::UDP, "fd01:c::5", 53)
}

fn destinations(client: &mut Client, key: &ServiceKey) -> Vec<Destination> {
    let observed = client.destinations(key).unwrap();
    let mut read: Vec<Destination> = observed.iter().map(|one| one.destination).collect();
    read.sort_by_key(|one| one.endpoint);
    read
}

#[test]
fn tells_each_refusal_in_words() {
    with_ipvs("tells_each_refusal_in_words", |client| {
        let prepared = [
            NEW(service(web(), "wlc")),
            Operation::NewDestination(web(), destination("10.0.0.1", 80)),
        ];
        assert_eq!(answers(client, &prepared), ["OK", "OK"]);
        let absent = key(Transport::TCP, "11.0.0.9", 80);
        let nowhere = destination("10.0.0.9", 80);
        let narrow = Destination {
            upper_threshold: 1,
            lower_threshold: 2,
            ..nowhere
        };
        let heavy = Destination {
            weight: 1 << 31,
            ..nowhere
        };
        let endpoint = nowhere.endpoint;
        let known = destination("10.0.0.1", 80);
        let no_prefix = Service {
            persistence_prefix: 129,
            ..service(dns_key(), "rr")
        };
        let table = [
            (
                NEW(service(web(), "rr")),
                "EEXIST service tcp 11.0.0.1:80 exists already",
            ),
            (
                Operation::SetService(service(absent, "rr")),
                "ESRCH there is no service tcp 11.0.0.9:80",
            ),
            (
                Operation::DeleteService(absent),
                "ESRCH there is no service tcp 11.0.0.9:80",
            ),
            (
                Operation::NewDestination(absent, nowhere),
                "ESRCH there is no service tcp 11.0.0.9:80",
            ),
            (
                Operation::NewDestination(web(), known),
                "EEXIST service tcp 11.0.0.1:80 has destination 10.0.0.1:80 already",
            ),
            (
                Operation::SetDestination(web(), nowhere),
                "ENOENT service tcp 11.0.0.1:80 has no destination 10.0.0.9:80",
            ),
            (
                Operation::DeleteDestination(web(), endpoint),
                "ENOENT service tcp 11.0.0.1:80 has no destination 10.0.0.9:80",
            ),
            (
                NEW(service(absent, "wlcc")),
                "ENOENT no scheduler \"wlcc\": is the module ip_vs_wlcc installed?",
            ),
            (
                Operation::SetService(service(web(), "wlcc")),
                "ENOENT no scheduler \"wlcc\": is the module ip_vs_wlcc installed?",
            ),
            (
                Operation::NewDestination(web(), narrow),
                "ERANGE weight above",
            ),
            (
                Operation::NewDestination(web(), heavy),
                "ERANGE weight above",
            ),
            (
                NEW(service(absent, "a-name-of-16-byt")),
                "EINVAL refused as invalid",
            ),
            (
                Operation::NewDestination(web(), destination("fd00::1", 80)),
                "EINVAL refused as invalid",
            ),
            (NEW(no_prefix), "EINVAL refused as invalid"),
        ];
        let operations: Vec<Operation> = table.iter().map(|(one, _)| one.clone()).collect();
        let results = client.apply(&operations).unwrap();
        for ((operation, expected), result) in table.iter().zip(results) {
            let words = result.refusal.map(|refusal| refusal.to_string());
            let said = format!("{} {}", result.errno.name(), words.unwrap_or_default());
            assert!(said.starts_with(expected), "{operation:?}: {said}");
        }
        // Those after a refusal were tried, and none changed anything.
        assert_eq!(destinations(client, &web()), [known]);
        assert_eq!(
            client.services().unwrap(),
            [(service(web(), "wlc"), Statistics::default())]
        );
    });
}

#[test]
fn a_service_that_is_not_there_has_no_destinations() {
    with_ipvs(
        "a_service_that_is_not_there_has_no_destinations",
        |client| {
            assert_eq!(client.destinations(&web()), Ok(Vec::new()));
            assert_eq!(client.observe(), Ok(Vec::new()));
        },
    );
}

#[test]
fn sets_the_timeouts_it_is_given_and_keeps_others() {
    with_ipvs("sets_the_timeouts_it_is_given_and_keeps_others", |client| {
        let before = client.timeouts().unwrap();
        let change = Timeouts {
            tcp_seconds: 7200,
            ..Timeouts::default()
        };
        client.set_timeouts(&change).unwrap();
        let expected = Timeouts {
            tcp_seconds: 7200,
            ..before
        };
        assert_eq!(client.timeouts(), Ok(expected));
        let endless = Timeouts {
            udp_seconds: u32::MAX,
            ..Timeouts::default()
        };
        let Err(IpvsError::Netlink { source, .. }) = client.set_timeouts(&endless) else {
            panic!("was set");
        };
        assert_eq!(source.errno(), Errno(libc::EINVAL));
        assert_eq!(client.information().unwrap().version, (1, 2, 1));
        assert!(client.information().unwrap().connection_table_size >= 256);
    });
}

#[test]
fn reads_again_when_services_change_between_two_datagrams() {
    with_ipvs(
        "reads_again_when_services_change_between_two_datagrams",
        |client| {
            let numbered = |number: u16| key(Transport::TCP, "11.0.0.1", number);
            let all: Vec<Operation> = (1..=400)
                .map(|number| NEW(service(numbered(number), "rr")))
                .collect();
            assert!(
                client
                    .apply(&all)
                    .unwrap()
                    .iter()
                    .all(|result| result.errno.0 == 0)
            );
            let mut other = Client::open().unwrap();
            let mut left = 3;
            let read = client.services_observed(&mut |datagram| {
                if datagram == 2 && left > 0 {
                    left -= 1;
                    other
                        .apply(&[Operation::DeleteService(numbered(left + 1))])
                        .unwrap();
                }
            });
            assert_eq!(left, 0);
            let names: std::collections::HashSet<_> =
                read.unwrap().iter().map(|(one, _)| one.key).collect();
            assert_eq!(names, (4..=400).map(numbered).collect());

            let mut next = 1000;
            let endless = client.services_observed(&mut |_| {
                next += 1;
                other.apply(&[NEW(service(numbered(next), "rr"))]).unwrap();
            });
            assert_eq!(
                endless,
                Err(IpvsError::Restless {
                    object: "services".to_owned(),
                    attempts: 16
                })
            );
        },
    );
}

#[test]
fn more_refusals_than_one_send_holds_all_arrive() {
    with_ipvs("more_refusals_than_one_send_holds_all_arrive", |client| {
        let operations: Vec<Operation> = (0..3000).map(|_| NEW(service(web(), "rr"))).collect();
        let results = client.apply(&operations).unwrap();
        assert_eq!(results[0].errno, Errno(0));
        let refused = results
            .iter()
            .filter(|one| one.errno == Errno(libc::EEXIST));
        assert_eq!((refused.count(), results.len()), (2999, 3000));
    });
}

#[test]
fn says_that_the_kernel_has_no_ipvs() {
    in_fresh_namespace("says_that_the_kernel_has_no_ipvs", || {
        match Client::open() {
            Ok(_) => {
                println!("SKIPPED says_that_the_kernel_has_no_ipvs: needs a kernel without ipvs");
            }
            Err(error) => {
                assert!(error.to_string().contains("modprobe ip_vs"), "{error}");
            }
        }
    });
}
