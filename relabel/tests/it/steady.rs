//! The steady state allocates nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use relabel::{Action, Decision, Labels, LabelsBuilder, Naming, Rule, Rules};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

#[expect(
    unsafe_code,
    reason = "a global allocator is the only way to count allocations"
)]
// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // The count is gone while a thread ends; then nobody asks for it.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn applying_rules_allocates_nothing_once_warm() {
    let rule = Rule::default;
    let source = |labels: &[&str]| labels.iter().map(ToString::to_string).collect::<Vec<_>>();
    let rules = Rules::new(
        [
            Rule {
                source_labels: source(&["job", "instance"]),
                target_label: "both".into(),
                ..rule()
            },
            Rule {
                source_labels: source(&["instance"]),
                regex: r"([^:]+):(\d+)".into(),
                target_label: "port".into(),
                replacement: "$2".into(),
                ..rule()
            },
            Rule {
                source_labels: source(&["job"]),
                regex: "node|api".into(),
                action: Action::Keep,
                ..rule()
            },
            Rule {
                source_labels: source(&["job"]),
                target_label: "job_up".into(),
                action: Action::Uppercase,
                ..rule()
            },
            Rule {
                source_labels: source(&["instance"]),
                modulus: 7,
                target_label: "shard".into(),
                action: Action::HashMod,
                ..rule()
            },
            Rule {
                regex: "job_(.+)".into(),
                replacement: "j_$1".into(),
                action: Action::LabelMap,
                ..rule()
            },
            Rule {
                regex: "job_.*|both".into(),
                action: Action::LabelDrop,
                ..rule()
            },
        ],
        Naming::UTF8,
    )
    .expect("rules");
    let input = Labels::from_pairs([("__name__", "up"), ("instance", "host:9100"), ("job", "node")]);
    let mut labels = LabelsBuilder::new();
    let mut round = || {
        labels.reset(&input);
        rules.apply(&mut labels)
    };
    // Labels move between buffers, so it takes some rounds until each is large enough.
    for _ in 0..100 {
        assert_eq!(round(), Decision::Keep);
    }
    let before = ALLOCATIONS.get();
    for _ in 0..100 {
        assert_eq!(round(), Decision::Keep);
    }
    assert_eq!(ALLOCATIONS.get() - before, 0);
    assert_eq!(
        labels.labels().to_string(),
        r#"{__name__="up", instance="host:9100", j_up="NODE", job="node", port="9100", shard="0"}"#
    );
}
