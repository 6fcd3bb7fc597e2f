//! What is found in a folder, and what a disk may do to a log.

use std::sync::Arc;

use ferroalloy_model::clock::timeout;
use ferroalloy_model::{ColumnData, Columns, Committed, ManualClock};

use super::super::fs::HostFs;
use super::super::fs::faulty::{Faults, FaultyFs};
use super::super::inspect::QueueFolder;
use super::super::*;
use super::{all_of, batch, drain, layout, open, open_at, runtime};

#[test]
fn files_that_are_not_ours_are_set_aside_and_strays_left_alone() {
    let (fs, runtime) = (FaultyFs::default(), runtime());
    fs.put(
        "0000000000000007.seg",
        b"somebody else's file, longer than a header would be",
    );
    let mut newer = frame::FileHeader {
        kind: frame::FileKind::Segment,
        run: 1,
        position: 0,
        samples: 0,
        wall: 0,
    }
    .encode();
    newer[8] = 9;
    fs.put("0000000000000008.seg", &newer);
    fs.put("0000000000000009.seg", b"FERROSEG");
    fs.put("notes.txt", b"mine");
    let mut newer = frame::FileHeader {
        kind: frame::FileKind::Places,
        run: 0,
        position: 0,
        samples: 0,
        wall: 0,
    }
    .encode();
    newer[8] = 2;
    fs.put("00000000000000aa.pos", &newer);
    fs.put("00000000000000ab.pos", b"somebody else's places");
    let log = open(&fs, &runtime, 1 << 30).unwrap();
    let mut reader = log.reader("e");
    runtime.block_on(log.append(&batch(&layout("a", &["m"]), 0.0)));
    assert_eq!(drain(&runtime, &mut *reader).0.len(), 1);
    let mut aside = fs.aside();
    aside.sort_unstable();
    assert_eq!(
        aside,
        [
            "0000000000000007.seg",
            "0000000000000008.seg",
            "00000000000000aa.pos",
            "00000000000000ab.pos"
        ]
    );
    assert!(fs.names().contains(&"notes.txt".to_owned()));
    assert!(!fs.names().contains(&"0000000000000009.seg".to_owned()));
}

#[test]
fn one_at_a_time_and_only_where_it_can_be_written() {
    let (fs, runtime) = (FaultyFs::default(), runtime());
    let log = open(&fs, &runtime, 1 << 30).unwrap();
    let refused = open(&fs, &runtime, 1 << 30).unwrap_err();
    assert!(refused.to_string().contains("kept in memory: "), "{refused}");
    // A look from outside needs no hold.
    assert!(QueueFolder::on(Arc::new(fs.clone())).is_ok());
    drop(log);
    fs.set(Faults {
        no_create: true,
        ..Faults::default()
    });
    assert_eq!(
        open(&fs, &runtime, 1 << 30).unwrap_err().kind(),
        ErrorKind::Storage
    );
}

#[test]
fn what_is_set_aside_on_a_real_disk_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let fs = HostFs::new(folder.path());
    for bytes in ["one", "two"] {
        std::fs::write(folder.path().join("0000000000000001.seg"), bytes).unwrap();
        fs.set_aside("0000000000000001.seg").unwrap();
    }
    let read = |name: &str| std::fs::read_to_string(folder.path().join("set-aside").join(name)).unwrap();
    assert_eq!(read("0000000000000001.seg"), "one");
    assert_eq!(read("0000000000000001.seg.1"), "two");
    assert_eq!(fs.list().unwrap(), Vec::<String>::new());
}

/// As the loop of a scrape does it: it waits for the commit for a second.
#[test]
fn a_disk_that_stands_still_for_half_a_minute_holds_up_neither_scrapes_nor_sending() {
    const SECOND: Duration = Duration::from_secs(1);
    let (fs, runtime, clock) = (
        FaultyFs::default(),
        runtime(),
        ManualClock::new(1_700_000_000_000),
    );
    let series = layout("a", &["m"]);
    let log = open_at(&fs, &runtime, 1 << 30, &clock).unwrap();
    let mut reader = log.reader("e");
    let value = f64::from;
    assert_eq!(
        runtime.block_on(log.append(&batch(&series, value(0)))),
        Committed::Durable
    );
    fs.set(Faults {
        stalls: true,
        ..Faults::default()
    });
    for second in 1..=30 {
        let before = clock.elapsed();
        let commit = log.append(&batch(&series, value(second)));
        // Nobody has waited for the disk so far, and from here on it is a second.
        assert_eq!(clock.elapsed(), before);
        let (late, ()) = runtime.block_on(async {
            tokio::join!(timeout(&clock, SECOND, commit), async {
                clock.wait_for_sleepers(1).await;
                clock.advance(SECOND);
            })
        });
        assert!(late.is_err(), "it is durable on a disk that takes nothing");
        let (entries, lost) = drain(&runtime, &mut *reader);
        assert_eq!((entries.len(), lost), (1 + usize::from(second == 1), 0));
        // A request is told to the disk, which costs no waiting here either.
        let (ticket, _noted) = reader.begin(&all_of(&entries[0]));
        reader.end(ticket, &all_of(&entries[0]));
    }
    assert_eq!(log.figures().disk.unwrap().not_written, 30);
    fs.set(Faults::default());
    assert_eq!(runtime.block_on(log.sync()), Committed::Durable);
    assert_eq!(log.figures().disk.unwrap().not_written, 0);
    assert_eq!(
        runtime.block_on(log.append(&batch(&series, value(31)))),
        Committed::Durable
    );
}

/// Five million samples in segments of a mebibyte.
#[test]
fn opening_reads_the_newest_segment_however_much_is_queued() {
    const SERIES: usize = 5_000;
    const BATCHES: usize = 1_000;
    let (fs, runtime) = (FaultyFs::default(), runtime());
    let names: Vec<String> = (0..SERIES).map(|n| format!("m{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let series = layout("a", &names);
    {
        let log = open(&fs, &runtime, 64 << 20).unwrap();
        let _reader = log.reader("e");
        for nth in 0..BATCHES {
            let mut data = ColumnData::default();
            data.reset(0, SERIES);
            for slot in 0..u32::try_from(SERIES).unwrap() {
                data.set(slot, (nth * 1_000) as f64);
            }
            let batch = Columns {
                layout: series.clone(),
                data: Arc::new(data),
            };
            assert_eq!(runtime.block_on(log.append(&batch.into())), Committed::Durable);
        }
    }
    let segments = QueueFolder::on(Arc::new(fs.clone())).unwrap().segments();
    assert!(segments > 15, "{segments}");
    let before = fs.read_bytes();
    let log = open(&fs, &runtime, 64 << 20).unwrap();
    let mut reader = log.reader("e");
    let read = fs.read_bytes() - before;
    // A segment ends with the batch that makes it too large.
    assert!(read < 5 << 18, "{read} bytes");
    assert_eq!(reader.backlog().unread, (SERIES * BATCHES) as u64);
    assert_eq!(log.figures().memory_bytes, 0);
    // What is read ahead is a chunk, not the backlog.
    let before = fs.read_bytes();
    let wake = reader.wake();
    assert!(reader.next().is_none());
    runtime.block_on(wake.notified());
    assert_eq!(reader.next().map(|entry| entry.position), Some(0));
    let read = fs.read_bytes() - before;
    assert!(read < 5 << 18, "{read} bytes");
}
