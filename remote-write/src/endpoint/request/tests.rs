use std::sync::Arc;

use ferroalloy_model::{ColumnData, Columns, Exemplar, Labels, LayoutBuilder, Row, Rows, SourceId};
use prost::Message as _;
use relabel::{Action, Naming, Rule, Rules};

use super::*;
use crate::proto;

/// Takes the whole batch in messages of `most` samples; what each of them has.
fn messages(batch: &Batch, stage: &Stage, most: usize) -> Vec<Vec<(String, i64, f64)>> {
    let mut messages = Vec::new();
    let mut place = Some(0);
    while let Some(from) = place {
        let mut message = Message::default();
        place = message.take(batch, stage, from, most);
        let decoded = proto::WriteRequest::decode(&*message.bytes).unwrap();
        assert_eq!(decoded.timeseries.len(), message.counts.samples);
        let sample = |series: &proto::TimeSeries| {
            (
                series.labels[0].value.clone(),
                series.samples[0].timestamp,
                series.samples[0].value,
            )
        };
        messages.push(decoded.timeseries.iter().map(sample).collect());
    }
    messages
}

fn batch() -> Batch {
    let mut builder = LayoutBuilder::new(SourceId::new(), "test");
    for name in ["a", "b", "c", "d"] {
        builder.push([("__name__", name)], None);
    }
    builder.vacate(1);
    let mut data = ColumnData::default();
    data.reset(1000, 4);
    for (slot, value) in [(0, 0.5), (1, 1.5), (2, 2.5)] {
        data.set(slot, value);
    }
    data.sides_mut().timestamps.push((2, 7));
    data.sides_mut().extra.push(Row {
        slot: 2,
        timestamp: 8,
        value: 3.5,
    });
    Columns {
        layout: builder.build(),
        data: Arc::new(data),
    }
    .into()
}

fn sample(name: &str, timestamp: i64, value: f64) -> (String, i64, f64) {
    (name.to_owned(), timestamp, value)
}

#[test]
fn columns_come_in_pieces() {
    let stage = Stage::new(&Labels::empty(), &Rules::default());
    let (a, c, extra) = (sample("a", 1000, 0.5), sample("c", 7, 2.5), sample("c", 8, 3.5));
    assert_eq!(
        messages(&batch(), &stage, 9),
        [vec![a.clone(), c.clone(), extra.clone()]]
    );
    assert_eq!(
        messages(&batch(), &stage, 2),
        [vec![a.clone(), c.clone()], vec![extra.clone()]]
    );
    assert_eq!(messages(&batch(), &stage, 1), [vec![a], vec![c], vec![extra]]);
}

#[test]
fn series_that_came_later_stand_with_their_like() {
    let mut builder = LayoutBuilder::new(SourceId::new(), "test");
    for name in ["a", "c", "e", "g", "i"] {
        builder.push([("__name__", name)], None);
    }
    let first = builder.build();
    let mut builder = LayoutBuilder::from_parent(&first);
    builder.replace(4, [("__name__", "b")], None);
    builder.push([("__name__", "d")], None);
    let mut data = ColumnData::default();
    data.reset(1000, 6);
    (0..6).for_each(|slot| data.set(slot, f64::from(slot)));
    let batch = Batch::from(Columns {
        layout: builder.build(),
        data: Arc::new(data),
    });
    let stage = Stage::new(&Labels::empty(), &Rules::default());
    let names = |most| -> Vec<String> {
        let all = messages(&batch, &stage, most).into_iter();
        all.map(|message| message.into_iter().map(|(name, ..)| name).collect())
            .collect()
    };
    assert_eq!(names(9), ["abcdeg"]);
    // A message has the slots up to its end, in order among themselves.
    assert_eq!(names(4), ["aceg", "bd"]);
    assert_eq!(names(1), ["a", "c", "e", "g", "b", "d"]);
    let mut part = Message::default();
    part.take_part(&batch, &stage, 1, Some(5));
    let decoded = proto::WriteRequest::decode(&*part.bytes).unwrap();
    let names: String = decoded
        .timeseries
        .iter()
        .map(|series| &*series.labels[0].value)
        .collect();
    assert_eq!(names, "bceg");
}

#[test]
fn a_group_is_in_pieces_at_series() {
    let Batch::Columns(Columns { layout, .. }) = batch() else {
        unreachable!("made of columns");
    };
    let scrapes = [(1000, [0, 2]), (2000, [1, 2]), (3000, [2, 3])].map(|(timestamp, slots)| {
        let mut data = ColumnData::default();
        data.reset(timestamp, 4);
        for slot in slots {
            data.set(slot, f64::from(slot));
        }
        Columns {
            layout: layout.clone(),
            data: Arc::new(data),
        }
    });
    let group: Vec<&Columns> = scrapes.iter().collect();
    let stage = Stage::new(&Labels::empty(), &Rules::default());
    let (mut place, mut messages) = (Some(0), Vec::new());
    while let Some(from) = place {
        let mut message = Message::default();
        place = message.take_group(&group, &stage, from, 4);
        let decoded = proto::WriteRequest::decode(&*message.bytes).unwrap();
        let times = |series: &proto::TimeSeries| {
            let times = series.samples.iter().map(|sample| sample.timestamp).collect();
            (series.labels[0].value.clone(), times)
        };
        messages.push(decoded.timeseries.iter().map(times).collect::<Vec<_>>());
    }
    // The slot of `b` is vacant.
    let run = |name: &str, times: &[i64]| (name.to_owned(), times.to_vec());
    assert_eq!(
        messages,
        [
            vec![run("a", &[1000]), run("c", &[1000, 2000, 3000])],
            vec![run("d", &[3000])]
        ]
    );
}

#[test]
fn rows_come_in_pieces() {
    let layout = batch().layout().clone();
    let rows = [(0, 5), (2, 6), (0, 7)].map(|(slot, timestamp)| Row {
        slot,
        timestamp,
        value: 1.0,
    });
    let batch = Rows {
        layout,
        rows: Arc::from(rows),
        sides: None,
    }
    .into();
    let stage = Stage::new(&Labels::empty(), &Rules::default());
    let all = [sample("a", 5, 1.0), sample("c", 6, 1.0), sample("a", 7, 1.0)];
    assert_eq!(messages(&batch, &stage, 2), [&all[..2], &all[2..]]);
}

#[test]
fn exemplars_go_with_their_sample() {
    let mut batch = batch();
    let exemplar = |value| Exemplar {
        labels: Labels::from_pairs([("trace_id", "t")]),
        value,
        timestamp: 5,
    };
    if let Batch::Columns(columns) = &mut batch {
        let sides = Arc::make_mut(&mut columns.data).sides_mut();
        sides.exemplars = vec![
            (0, exemplar(0.1)),
            (1, exemplar(0.2)),
            (2, exemplar(0.3)),
            (2, exemplar(0.4)),
        ];
    }
    let stage = Stage::new(&Labels::empty(), &Rules::default());
    for (with_exemplars, expected) in [
        (true, vec![vec![0.1], vec![0.3, 0.4], vec![]]),
        (false, vec![vec![]; 3]),
    ] {
        let mut message = Message::default();
        message.clear(Wanted {
            exemplars: with_exemplars,
            ..Wanted::default()
        });
        assert_eq!(message.take(&batch, &stage, 0, 9), None);
        let decoded = proto::WriteRequest::decode(&*message.bytes).unwrap();
        let values =
            |series: &proto::TimeSeries| series.exemplars.iter().map(|e| e.value).collect::<Vec<_>>();
        assert_eq!(
            decoded.timeseries.iter().map(values).collect::<Vec<_>>(),
            expected
        );
        assert_eq!(message.counts.exemplars, expected.concat().len());
    }
}

#[test]
fn what_rules_drop_is_counted() {
    let rule = Rule {
        source_labels: vec!["__name__".into()],
        regex: "c".into(),
        action: Action::Drop,
        ..Rule::default()
    };
    let stage = Stage::new(&Labels::empty(), &Rules::new([rule], Naming::UTF8).unwrap());
    let mut message = Message::default();
    assert_eq!(message.take(&batch(), &stage, 0, 9), None);
    assert_eq!(
        (message.counts.samples, message.dropped, message.newest),
        (1, 2, Some(1000))
    );
}
