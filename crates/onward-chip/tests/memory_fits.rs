//! Memory figures of the technologies against the memories they were fitted to (`testbench/memories/*.csv`): the errors are
//! those that the technology files and the book's page on technologies state.

use onward_chip::Technology;

/// Quantities of a memory, in the order of the columns after ports, words and bits.
const QUANTITIES: [&str; 5] = ["area", "read energy", "write energy", "leakage", "access time"];

/// A memory whose figures are known: ports, words, bits a word, and its area in um^2, energies in fJ, leakage in nW and access
/// time in ps.
struct Known {
    ports: u64,
    words: f64,
    bits: f64,
    values: [f64; 5],
}

fn memories(table: &str) -> Vec<Known> {
    let mut rows = table.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(rows.next(), Some("ports,words,bits,area_um2,read_fj,write_fj,leakage_nw,access_ps"));
    rows.map(|row| {
        let cells: Vec<f64> = row.split(',').map(|cell| cell.parse().expect("a number")).collect();
        let [ports, words, bits, area, read, write, leakage, access] = cells[..] else {
            panic!("eight columns: {row}")
        };
        Known { ports: ports as u64, words, bits, values: [area, read, write, leakage, access] }
    })
    .collect()
}

/// Relative errors of a technology's fits for memories with so many ports, a row for each quantity.
fn errors(technology: &Technology, known: &[Known], ports: u64) -> [Vec<f64>; 5] {
    let figures = if ports == 1 { &technology.memories.one_port } else { &technology.memories.two_port };
    let mut errors: [Vec<f64>; 5] = Default::default();
    for memory in known.iter().filter(|memory| memory.ports == ports) {
        let (words, bits) = (memory.words, memory.bits);
        let fitted = [
            figures.area_um2.at(words, bits),
            figures.read_fj.at(words, bits),
            figures.write_fj.at(words, bits),
            figures.leakage_nw.at(words, bits),
            figures.access_ps.at(words, bits),
        ];
        for (quantity, (fitted, value)) in fitted.iter().zip(memory.values).enumerate() {
            errors[quantity].push((fitted / value - 1.0).abs());
        }
    }
    errors
}

fn mean(errors: &[f64]) -> f64 {
    errors.iter().sum::<f64>() / errors.len() as f64
}

fn worst(errors: &[f64]) -> f64 {
    errors.iter().copied().fold(0.0, f64::max)
}

/// What the book says: mean and worst error of each quantity, percent, one decimal.
fn check(name: &str, table: &str, counts: [usize; 2], stated: [[(f64, f64); 5]; 2]) {
    let technology = Technology::builtin(name).expect("a technology");
    let known = memories(table);
    let figures = [&technology.memories.one_port, &technology.memories.two_port];
    for (index, figures) in figures.into_iter().enumerate() {
        let ports = index as u64 + 1;
        let errors = errors(&technology, &known, ports);
        let percent = |share: f64| (share * 1000.0).round() / 10.0;
        for (quantity, errors) in errors.iter().enumerate() {
            let place = format!("{name}, {ports} port(s), {}", QUANTITIES[quantity]);
            assert_eq!(errors.len(), counts[index], "{place}");
            assert_eq!((percent(mean(errors)), percent(worst(errors))), stated[index][quantity], "{place}");
        }
        let all = errors.concat();
        // As the file says them, in thousandths.
        let thousandths = |share: f64| (share * 1000.0).round() as i64;
        assert_eq!(thousandths(figures.mean_error), thousandths(mean(&all)), "{name}, {ports} port(s)");
        assert_eq!(thousandths(figures.worst_error), thousandths(worst(&all)), "{name}, {ports} port(s)");
    }
}

#[test]
fn the_macros_of_sg13g2_are_met_within_a_tenth_in_the_mean_and_a_quarter_at_worst() {
    let stated = [
        [(2.0, 9.2), (4.8, 11.7), (3.6, 10.6), (0.0, 0.0), (7.1, 16.9)],
        [(0.9, 1.6), (2.2, 5.7), (0.6, 1.0), (0.0, 0.0), (5.4, 11.7)],
    ];
    check("130nm-sg13g2", include_str!("../../../testbench/memories/130nm-sg13g2.csv"), [18, 10], stated);
    for (mean, worst) in stated.concat() {
        assert!(mean <= 10.0 && worst <= 25.0, "{mean} {worst}");
    }
}

#[test]
fn memories_by_cacti_at_45_nm_are_met_as_stated() {
    let stated = [
        [(5.8, 12.3), (14.9, 27.8), (22.9, 39.4), (7.8, 14.2), (10.7, 22.6)],
        [(6.1, 10.7), (11.9, 22.0), (18.8, 35.4), (6.5, 11.3), (6.3, 21.2)],
    ];
    check("45nm", include_str!("../../../testbench/memories/45nm.csv"), [21, 21], stated);
}

#[test]
fn memories_by_cacti_at_22_nm_are_met_as_stated() {
    let stated = [
        [(6.6, 12.4), (16.5, 37.5), (21.7, 37.7), (8.9, 15.1), (9.6, 25.9)],
        [(5.5, 10.8), (10.4, 19.6), (20.0, 38.3), (8.9, 14.2), (9.1, 27.4)],
    ];
    check("22nm-seneca", include_str!("../../../testbench/memories/22nm-seneca.csv"), [21, 21], stated);
}
