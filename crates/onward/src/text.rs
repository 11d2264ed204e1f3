//! Numbers and tables as people read them.

use crate::terminal::{DIM, styled};
use comfy_table::{CellAlignment, Table, presets};
use std::time::Duration;

/// `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three significant digits with a unit: `1.23 mJ`.
pub fn si(value: f64, unit: &str) -> String {
    const PREFIXES: [(&str, f64); 10] = [
        ("T", 1e12),
        ("G", 1e9),
        ("M", 1e6),
        ("k", 1e3),
        ("", 1.0),
        ("m", 1e-3),
        ("µ", 1e-6),
        ("n", 1e-9),
        ("p", 1e-12),
        ("f", 1e-15),
    ];
    if value == 0.0 || !value.is_finite() {
        return format!("{value} {unit}").trim_end().to_owned();
    }
    // What rounds to 1,000 takes the next prefix.
    let found = PREFIXES.iter().find(|(_, factor)| value.abs() / factor >= 0.9995);
    let (prefix, factor) = found.unwrap_or(&PREFIXES[9]);
    format!("{} {prefix}{unit}", significant(value / factor)).trim_end().to_owned()
}

/// Three significant digits of a number from 1 to 1,000.
fn significant(value: f64) -> String {
    match value.abs() {
        value if value >= 99.95 => format!("{:.0}", value.copysign(1.0)),
        value if value >= 9.995 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// A number with a count's separators, or a decimal where it is small.
pub fn average(value: f64) -> String {
    if value >= 100.0 { count(value.round() as u64) } else { format!("{value:.1}") }
}

/// `97.34 %`.
pub fn percent(value: f64) -> String {
    format!("{value:.2} %")
}

/// `12.3 s`, `4 min 05 s`, `1 h 02 min`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let whole = seconds.round() as u64;
    match whole {
        0..60 if seconds < 9.995 => format!("{seconds:.2} s"),
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// `64 bytes`, `9.6 KiB`.
pub fn bytes(bytes: u64) -> String {
    if bytes < 1024 { format!("{bytes} B") } else { format!("{:.1} KiB", bytes as f64 / 1024.0) }
}

/// `one network`, `3 networks`.
pub fn plural(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A table without lines, indented by two; the columns in `right` are aligned to the right.
pub fn table(header: &[&str], rows: Vec<Vec<String>>, right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).force_no_tty();
    if !header.is_empty() {
        table.set_header(header);
    }
    table.add_rows(rows);
    for at in 0..table.column_count() {
        if let Some(column) = table.column_mut(at) {
            column.set_padding((if at == 0 { 0 } else { 2 }, 1));
            if right.contains(&at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    let lines = table.lines().enumerate().map(|(at, line)| match line.trim_end() {
        line if at == 0 && !header.is_empty() => format!("  {}\n", styled(DIM, line)),
        line => format!("  {line}\n"),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [1.234e-3, 12.34e-6, 0.0, 999.6, 123.4].map(|v| si(v, "J")),
            ["1.23 mJ", "12.3 µJ", "0 J", "1.00 kJ", "123 J"]
        );
        assert_eq!(si(12_345_678.0, ""), "12.3 M");
        let times = [0.5, 12.34, 59.97, 125.0, 3725.0].map(|s| duration(Duration::from_secs_f64(s)));
        assert_eq!(times, ["0.50 s", "12.3 s", "1 min 00 s", "2 min 05 s", "1 h 02 min"]);
    }

    #[test]
    fn tables_are_aligned() {
        let table =
            table(&["what", "how much"], vec![vec!["a".into(), "1".into()], vec!["bcdef".into(), "10".into()]], &[1]);
        let table = anstream::adapter::strip_str(&table).to_string();
        assert_eq!(table, "  what    how much\n  a              1\n  bcdef         10\n");
    }
}
