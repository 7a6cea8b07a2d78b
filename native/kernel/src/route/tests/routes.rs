//! Addresses, routes and rules.

use super::*;
use crate::errno::Errno;
use crate::fresh_namespace::in_fresh_namespace;

#[test]
fn adds_reads_and_deletes_addresses() {
    in_fresh_namespace("adds_reads_and_deletes_addresses", || {
        let mut socket = open();
        done(&mut socket, &[up(1)]);
        let mut wanted = vec![address(1, "198.51.100.1/32"), address(1, "fd01:d::1/128")];
        wanted[0].label = Some("lo:navstar".to_owned());
        wanted[0].scope = 254;
        let add: Vec<_> = wanted.iter().cloned().map(Operation::AddAddress).collect();
        done(&mut socket, &add);
        let seen = addresses(&mut socket).unwrap();
        for address in &wanted {
            assert!(seen.contains(address), "{address:?} not in {seen:?}");
        }
        assert_eq!(errnos(&mut socket, &add), [libc::EEXIST; 2]);
        let delete: Vec<_> = wanted
            .iter()
            .cloned()
            .map(Operation::DeleteAddress)
            .collect();
        done(&mut socket, &delete);
        assert_eq!(errnos(&mut socket, &delete), [libc::EADDRNOTAVAIL; 2]);
        let seen = addresses(&mut socket).unwrap();
        assert!(wanted.iter().all(|address| !seen.contains(address)));
    });
}

#[test]
fn adds_replaces_and_deletes_routes_of_both_families() {
    in_fresh_namespace("adds_replaces_and_deletes_routes_of_both_families", || {
        let mut socket = open();
        let index = connected(&mut socket);
        let via = |destination: &str, gateway: &str, source: &str| Route {
            gateway: Some(gateway.parse().unwrap()),
            preferred_source: Some(source.parse().unwrap()),
            link_index: Some(index),
            ..route(destination)
        };
        let local = Route {
            link_index: Some(1),
            kind: 2,
            scope: 254,
            table: 42_000,
            ..route("11.0.0.0/8")
        };
        let v6 = Route {
            priority: Some(50),
            ..via("fd01:c::/64", "fd09::2", "fd09::1")
        };
        let wanted = [via("0.0.0.0/0", "10.9.0.2", "10.9.0.1"), local, v6];
        let add: Vec<_> = wanted.iter().cloned().map(Operation::AddRoute).collect();
        done(&mut socket, &add);
        let seen = routes(&mut socket).unwrap();
        for route in &wanted {
            assert!(seen.contains(route), "{route:?} not in {seen:?}");
        }
        assert_eq!(errnos(&mut socket, &add), [libc::EEXIST; 3]);

        let elsewhere = via("0.0.0.0/0", "10.9.0.3", "10.9.0.1");
        done(&mut socket, &[Operation::ReplaceRoute(elsewhere.clone())]);
        let seen = routes(&mut socket).unwrap();
        assert!(seen.contains(&elsewhere) && !seen.contains(&wanted[0]));

        let now = [elsewhere, wanted[1].clone(), wanted[2].clone()];
        let delete: Vec<_> = now.iter().cloned().map(Operation::DeleteRoute).collect();
        done(&mut socket, &delete);
        assert_eq!(errnos(&mut socket, &delete), [libc::ESRCH; 3]);
        assert!(
            routes(&mut socket)
                .unwrap()
                .iter()
                .all(|route| route.protocol != 77)
        );
    });
}

#[test]
fn keeps_a_gateway_that_is_not_on_the_link() {
    in_fresh_namespace("keeps_a_gateway_that_is_not_on_the_link", || {
        let mut socket = open();
        let index = connected(&mut socket);
        let wanted = Route {
            gateway: Some("44.128.0.2".parse().unwrap()),
            link_index: Some(index),
            is_onlink: true,
            ..route("9.0.2.0/24")
        };
        let strict = Route {
            is_onlink: false,
            ..wanted.clone()
        };
        let results = apply(&mut socket, &[Operation::AddRoute(strict)]);
        let error = results[0].as_ref().unwrap_err();
        assert_eq!(error.errno(), Errno(libc::ENETUNREACH));
        assert_eq!(error.kernel_words(), Some("Nexthop has invalid gateway"));
        done(&mut socket, &[Operation::AddRoute(wanted.clone())]);
        assert!(routes(&mut socket).unwrap().contains(&wanted));
    });
}

#[test]
fn adds_reads_and_deletes_rules() {
    in_fresh_namespace("adds_reads_and_deletes_rules", || {
        let mut socket = open();
        let wanted = [
            Rule {
                is_v6: false,
                priority: 420,
                table: 42,
                source: None,
                destination: Some("9.0.0.0/8".parse().unwrap()),
                mark: Some(7),
                protocol: Some(77),
            },
            Rule {
                is_v6: true,
                priority: 421,
                table: 42_000,
                source: Some("fd01:c::/64".parse().unwrap()),
                destination: None,
                mark: None,
                protocol: Some(77),
            },
        ];
        let add: Vec<_> = wanted.iter().cloned().map(Operation::AddRule).collect();
        done(&mut socket, &add);
        let seen = rules(&mut socket).unwrap();
        for rule in &wanted {
            assert!(seen.contains(rule), "{rule:?} not in {seen:?}");
        }
        assert_eq!(errnos(&mut socket, &add), [libc::EEXIST; 2]);
        let delete: Vec<_> = wanted.iter().cloned().map(Operation::DeleteRule).collect();
        done(&mut socket, &delete);
        assert_eq!(errnos(&mut socket, &delete), [libc::ENOENT; 2]);
    });
}
