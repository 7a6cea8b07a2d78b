//! Threads in real namespaces.

use std::fs;
use std::sync::mpsc::sync_channel;

use super::*;
use crate::fresh_namespace::in_fresh_namespace;
use crate::route::{Link, LinkChange, NewLink, Operation, apply, links};

/// The path of the calling thread's namespace.
fn own_path() -> PathBuf {
    PathBuf::from(format!("/proc/self/task/{}/ns/net", sys::thread_id()))
}

fn links_of(namespace: &Namespace) -> Vec<Link> {
    namespace
        .run_now(|sockets| links(sockets.route().unwrap()).unwrap())
        .unwrap()
}

fn change(namespace: &Namespace, operation: Operation) {
    let results = namespace.run_now(move |sockets| apply(sockets.route().unwrap(), &[operation]));
    assert_eq!(results, Ok(vec![Ok(())]));
}

fn index_of(namespace: &Namespace, name: &str) -> Option<u32> {
    links_of(namespace)
        .into_iter()
        .find(|link| link.name == name)
        .map(|link| link.index)
}

fn threads_named(name: &str) -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|comm| comm.trim() == name).count()
}

#[test]
fn enters_a_namespace_by_path_and_leaves_nothing_behind() {
    in_fresh_namespace(
        "enters_a_namespace_by_path_and_leaves_nothing_behind",
        || {
            let inherited = Namespace::open(None).unwrap();
            let veth = NewLink {
                name: "nsv-a".to_owned(),
                kind: "veth".to_owned(),
                peer_name: Some("nsv-b".to_owned()),
                ..NewLink::default()
            };
            change(&inherited, Operation::AddLink(veth));
            let by_path = Namespace::open(Some(&own_path())).unwrap();
            assert!(index_of(&by_path, "nsv-a").is_some());
            // Other tests of this process have threads of that name too, for a while.
            assert!(threads_named("netns-net") >= 1);
            by_path.close();
            inherited.close();
            let is_gone = (0..100_000).any(|_| {
                std::thread::yield_now();
                threads_named("netns-net") == 0
            });
            assert!(is_gone);
        },
    );
}

#[test]
fn moves_links_into_another_namespace() {
    in_fresh_namespace("moves_links_into_another_namespace", || {
        let here = Namespace::open(None).unwrap();
        sys::unshare_network().unwrap();
        let there = Namespace::open(None).unwrap();
        let veth = NewLink {
            name: "nsv-a".to_owned(),
            kind: "veth".to_owned(),
            peer_name: Some("nsv-b".to_owned()),
            peer_namespace_path: Some(own_path()),
            ..NewLink::default()
        };
        change(&here, Operation::AddLink(veth));
        let index = index_of(&here, "nsv-a").unwrap();
        assert!(index_of(&here, "nsv-b").is_none() && index_of(&there, "nsv-b").is_some());
        let peer = links_of(&here)
            .into_iter()
            .find(|link| link.name == "nsv-a")
            .unwrap();
        assert!(peer.peer_namespace_id.is_some());

        let moved = LinkChange {
            index,
            namespace_path: Some(own_path()),
            name: Some("nsv-c".to_owned()),
            ..LinkChange::default()
        };
        change(&here, Operation::SetLink(moved));
        assert!(index_of(&here, "nsv-a").is_none() && index_of(&there, "nsv-c").is_some());
        here.close();
        there.close();
    });
}

#[test]
fn says_why_a_namespace_cannot_be_entered() {
    let missing = Path::new("/run/netns/nsv-missing");
    let Err(NamespaceError::Enter {
        operation, source, ..
    }) = Namespace::open(Some(missing))
    else {
        panic!("entered");
    };
    assert_eq!((operation, source), ("open", Errno(libc::ENOENT)));
    let file = Path::new("/proc/self/status");
    let Err(NamespaceError::Enter {
        operation, source, ..
    }) = Namespace::open(Some(file))
    else {
        panic!("entered");
    };
    assert_eq!((operation, source), ("setns", Errno(libc::EINVAL)));
}

#[test]
fn refuses_jobs_beyond_its_limit_and_runs_those_it_took() {
    let namespace = Namespace::open(None).unwrap();
    let (release, gate) = sync_channel::<()>(0);
    let (started, is_started) = sync_channel(0);
    namespace
        .post(move |_| {
            started.send(()).unwrap();
            gate.recv().unwrap();
        })
        .unwrap();
    is_started.recv().unwrap();
    let (count, ran) = sync_channel(QUEUE_LIMIT);
    for _ in 0..QUEUE_LIMIT {
        let count = count.clone();
        namespace.post(move |_| count.send(()).unwrap()).unwrap();
    }
    assert_eq!(namespace.post(|_| {}), Err(NamespaceError::Busy));
    release.send(()).unwrap();
    namespace.close();
    assert_eq!(ran.try_iter().count(), QUEUE_LIMIT);
}
