//! Batches: columns by slot, or rows.

use std::sync::Arc;

use ferroalloy_model::histogram::{BucketSpan, Counts, ResetHint};
use ferroalloy_model::{
    Batch, ColumnData, Columns, Exemplar, Histogram, HistogramRow, Labels, Layout, Presence, Row, RowSides,
    Rows, Sides,
};

use super::{Input, put, put_float, put_len, put_signed, put_text, values};

const COLUMNS: u8 = 0;
const ROWS: u8 = 1;

/// What a batch's payload begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchHead {
    pub(crate) layout: u64,
    /// When it was accepted, in milliseconds since 1970.
    pub(crate) wall: i64,
    /// How many samples count as being in it.
    pub(crate) samples: u64,
}

/// Writes a batch that was accepted at `wall`.
pub(crate) fn encode_batch(out: &mut Vec<u8>, batch: &Batch, wall: i64) {
    put(out, batch.layout().id().get());
    put(out, u64::try_from(wall).unwrap_or(0));
    put_len(out, batch.upper_bound());
    match batch {
        Batch::Columns(columns) => {
            out.push(COLUMNS);
            put_columns(out, columns);
        }
        Batch::Rows(rows) => {
            out.push(ROWS);
            put_rows(out, rows);
        }
    }
}

fn put_columns(out: &mut Vec<u8>, columns: &Columns) {
    let data = &*columns.data;
    put_signed(out, data.timestamp);
    let words = data.presence.words();
    put_len(out, words.len());
    out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    let count = data.presence.count();
    if count == data.values.len() {
        values::put(out, count, data.values.iter().copied());
    } else {
        let mut present = Vec::with_capacity(count);
        data.presence.for_each(|slot| {
            let value = data.values.get(slot as usize).copied();
            present.push(value.unwrap_or_default());
        });
        values::put(out, count, present.into_iter());
    }
    let Some(sides) = data.sides.as_deref() else {
        out.push(0);
        return;
    };
    out.push(1);
    put_times(out, &sides.timestamps);
    put_list(out, &sides.extra, put_row);
    put_list(out, &sides.exemplars, put_exemplar);
    put_list(out, &sides.histograms, |out, (slot, histogram)| {
        put(out, (*slot).into());
        put_histogram(out, histogram);
    });
    put_times(out, &sides.start_times);
}

fn put_rows(out: &mut Vec<u8>, rows: &Rows) {
    put_list(out, &rows.rows, put_row);
    let Some(sides) = rows.sides.as_deref() else {
        out.push(0);
        return;
    };
    out.push(1);
    put_times(out, &sides.start_times);
    put_list(out, &sides.histograms, |out, row| {
        put(out, row.slot.into());
        put_signed(out, row.timestamp);
        put_signed(out, row.start_time);
        put_histogram(out, &row.histogram);
    });
    put_list(out, &sides.exemplars, put_exemplar);
}

fn put_list<T>(out: &mut Vec<u8>, items: &[T], mut item: impl FnMut(&mut Vec<u8>, &T)) {
    put_len(out, items.len());
    for of in items {
        item(out, of);
    }
}

fn put_times(out: &mut Vec<u8>, times: &[(u32, i64)]) {
    put_list(out, times, |out, (slot, time)| {
        put(out, (*slot).into());
        put_signed(out, *time);
    });
}

fn put_row(out: &mut Vec<u8>, row: &Row) {
    put(out, row.slot.into());
    put_signed(out, row.timestamp);
    put_float(out, row.value);
}

fn put_exemplar(out: &mut Vec<u8>, (slot, exemplar): &(u32, Exemplar)) {
    put(out, (*slot).into());
    put_float(out, exemplar.value);
    put_signed(out, exemplar.timestamp);
    put_len(out, exemplar.labels.len());
    for (name, value) in exemplar.labels.iter() {
        put_text(out, name);
        put_text(out, value);
    }
}

fn put_histogram(out: &mut Vec<u8>, histogram: &Histogram) {
    put_signed(out, histogram.schema.into());
    put_float(out, histogram.zero_threshold);
    put_float(out, histogram.sum);
    out.push(match histogram.reset_hint {
        ResetHint::Unknown => 0,
        ResetHint::Yes => 1,
        ResetHint::No => 2,
        ResetHint::Gauge => 3,
    });
    put_floats(out, &histogram.custom_values);
    for spans in [&histogram.positive_spans, &histogram.negative_spans] {
        put_list(out, spans, |out, span| {
            put_signed(out, span.offset.into());
            put(out, span.length.into());
        });
    }
    match &histogram.counts {
        Counts::Integer {
            count,
            zero,
            positive,
            negative,
        } => {
            out.push(0);
            put(out, *count);
            put(out, *zero);
            for deltas in [positive, negative] {
                put_list(out, deltas, |out, delta| put_signed(out, *delta));
            }
        }
        Counts::Float {
            count,
            zero,
            positive,
            negative,
        } => {
            out.push(1);
            put_float(out, *count);
            put_float(out, *zero);
            put_floats(out, positive);
            put_floats(out, negative);
        }
    }
}

fn put_floats(out: &mut Vec<u8>, values: &[f64]) {
    put_list(out, values, |out, value| put_float(out, *value));
}

// === reading ===

impl BatchHead {
    pub(crate) fn read(input: &mut Input<'_>) -> Option<Self> {
        Some(Self {
            layout: input.number()?,
            wall: i64::try_from(input.number()?).ok()?,
            // Each of them is some bits behind.
            samples: input
                .number()
                .filter(|samples| *samples <= input.len() as u64 * 4)?,
        })
    }
}

/// Reads the rest of a batch behind its head.
pub(crate) fn decode_batch(input: &mut Input<'_>, layout: &Arc<Layout>) -> Option<Batch> {
    let slots = u32::try_from(layout.len()).ok()?;
    let batch = match input.byte()? {
        COLUMNS => Columns {
            layout: layout.clone(),
            data: Arc::new(columns(input, slots)?),
        }
        .into(),
        ROWS => rows(input, layout, slots)?,
        _ => return None,
    };
    input.is_at_end().then_some(batch)
}

fn columns(input: &mut Input<'_>, slots: u32) -> Option<ColumnData> {
    let timestamp = input.signed()?;
    let count = usize::try_from(input.number()?).ok()?;
    // A word's slots have numbers of 32 bits.
    if count > 1 << 26 {
        return None;
    }
    let words = input.bytes(count.checked_mul(8)?)?;
    let words = words
        .chunks_exact(8)
        .map(|word| Some(u64::from_le_bytes(*word.first_chunk()?)));
    let presence = Presence::from_words(words.collect::<Option<_>>()?);
    let mut data = ColumnData {
        timestamp,
        presence,
        values: vec![0.0; slots as usize],
        sides: None,
    };
    let mut slots_of = Vec::new();
    let present = data.presence.count();
    // A value is at least two bits.
    if present > input.len().saturating_mul(4) {
        return None;
    }
    slots_of.reserve(present);
    data.presence.for_each(|slot| slots_of.push(slot));
    let mut next = slots_of.iter();
    // A value beyond the layout's slots has no series; the batch it came from had it as little.
    values::read(input, present, |value| {
        let slot = next.next().and_then(|slot| data.values.get_mut(*slot as usize));
        if let Some(place) = slot {
            *place = value;
        }
    })?;
    if input.byte()? != 0 {
        data.sides = Some(Box::new(Sides {
            timestamps: times(input, slots)?,
            extra: input.list(|input| row(input, slots))?,
            exemplars: input.list(|input| exemplar(input, slots))?,
            histograms: input.list(|input| Some((slot(input, slots)?, histogram(input)?)))?,
            start_times: times(input, slots)?,
        }));
    }
    Some(data)
}

fn rows(input: &mut Input<'_>, layout: &Arc<Layout>, slots: u32) -> Option<Batch> {
    let rows = input.list(|input| row(input, slots))?;
    let sides = match input.byte()? {
        0 => None,
        _ => {
            let count = u32::try_from(rows.len()).ok()?;
            Some(Arc::new(RowSides {
                start_times: times(input, count)?,
                histograms: input.list(|input| {
                    Some(HistogramRow {
                        slot: slot(input, slots)?,
                        timestamp: input.signed()?,
                        start_time: input.signed()?,
                        histogram: histogram(input)?,
                    })
                })?,
                exemplars: input.list(|input| exemplar(input, slots))?,
            }))
        }
    };
    Some(
        Rows {
            layout: layout.clone(),
            rows: rows.into(),
            sides,
        }
        .into(),
    )
}

fn slot(input: &mut Input<'_>, slots: u32) -> Option<u32> {
    input.u32().filter(|slot| *slot < slots)
}

fn times(input: &mut Input<'_>, slots: u32) -> Option<Vec<(u32, i64)>> {
    input.list(|input| Some((slot(input, slots)?, input.signed()?)))
}

fn row(input: &mut Input<'_>, slots: u32) -> Option<Row> {
    Some(Row {
        slot: slot(input, slots)?,
        timestamp: input.signed()?,
        value: input.float()?,
    })
}

fn exemplar(input: &mut Input<'_>, slots: u32) -> Option<(u32, Exemplar)> {
    let slot = slot(input, slots)?;
    let value = input.float()?;
    let timestamp = input.signed()?;
    let labels = input.list(|input| Some((input.text()?, input.text()?)))?;
    Some((
        slot,
        Exemplar {
            labels: Labels::from_pairs(labels),
            value,
            timestamp,
        },
    ))
}

fn histogram(input: &mut Input<'_>) -> Option<Histogram> {
    let schema = i32::try_from(input.signed()?).ok()?;
    let zero_threshold = input.float()?;
    let sum = input.float()?;
    let reset_hint = match input.byte()? {
        0 => ResetHint::Unknown,
        1 => ResetHint::Yes,
        2 => ResetHint::No,
        3 => ResetHint::Gauge,
        _ => return None,
    };
    let custom_values = input.list(Input::float)?;
    let span = |input: &mut Input<'_>| {
        Some(BucketSpan {
            offset: i32::try_from(input.signed()?).ok()?,
            length: input.u32()?,
        })
    };
    let positive_spans = input.list(span)?;
    let negative_spans = input.list(span)?;
    let counts = match input.byte()? {
        0 => Counts::Integer {
            count: input.number()?,
            zero: input.number()?,
            positive: input.list(Input::signed)?,
            negative: input.list(Input::signed)?,
        },
        1 => Counts::Float {
            count: input.float()?,
            zero: input.float()?,
            positive: input.list(Input::float)?,
            negative: input.list(Input::float)?,
        },
        _ => return None,
    };
    Some(Histogram {
        schema,
        zero_threshold,
        sum,
        counts,
        positive_spans,
        negative_spans,
        custom_values,
        reset_hint,
    })
}
