//! How fast operations and dumps are. In a guest: `npm run guest -- uml -- <the test binary>
//! ipvs::tests::volume --ignored --nocapture`.

use std::time::{Duration, Instant};

use super::*;

#[allow(clippy::disallowed_methods, reason = "this is what is being measured")]
fn now() -> Instant {
    Instant::now()
}

fn per_second(count: usize, took: Duration) -> String {
    let rate = f64::from(u32::try_from(count).unwrap()) / took.as_secs_f64();
    format!("{count} in {:.0} ms, {rate:.0}/s", took.as_secs_f64() * 1e3)
}

fn numbered(number: u32) -> ServiceKey {
    ServiceKey::Address {
        transport: Transport::TCP,
        address: std::net::Ipv4Addr::from(0x0b00_0001 + number).into(),
        port: 80,
    }
}

#[test]
#[ignore = "measures"]
fn fifty_thousand_services_with_five_destinations() {
    with_ipvs("fifty_thousand_services_with_five_destinations", |client| {
        let services: Vec<Operation> = (0..50_000)
            .map(|number| Operation::NewService(service(numbered(number), "wlc")))
            .collect();
        let backends: Vec<Operation> = (0..250_000u32)
            .map(|number| {
                let address = std::net::Ipv4Addr::from(0x0a00_0001 + number % 5).to_string();
                Operation::NewDestination(numbered(number / 5), destination(&address, 8080))
            })
            .collect();
        let drains: Vec<Operation> = backends
            .iter()
            .filter_map(|operation| match operation {
                Operation::NewDestination(key, made) => Some(Operation::SetDestination(
                    *key,
                    Destination { weight: 0, ..*made },
                )),
                _ => None,
            })
            .collect();
        for (what, operations) in [
            ("new services", &services),
            ("new destinations", &backends),
            ("set destinations", &drains),
        ] {
            let started = now();
            let results = client.apply(operations).unwrap();
            println!("{what}: {}", per_second(results.len(), started.elapsed()));
            assert!(results.iter().all(|result| result.errno.0 == 0));
        }
        let started = now();
        let read = client.services().unwrap();
        println!(
            "read services: {}",
            per_second(read.len(), started.elapsed())
        );
        let started = now();
        let observed = client.observe().unwrap();
        let count = observed.iter().map(|one| one.destinations.len()).sum();
        println!(
            "observe with destinations: {}",
            per_second(count, started.elapsed())
        );
        let deletions: Vec<Operation> = (0..50_000)
            .map(|number| Operation::DeleteService(numbered(number)))
            .collect();
        let started = now();
        let results = client.apply(&deletions).unwrap();
        println!(
            "delete services: {}",
            per_second(results.len(), started.elapsed())
        );
        assert_eq!((count, observed.len()), (250_000, 50_000));
    });
}
