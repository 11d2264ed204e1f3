//! Studies of an evaluator that computes and counts: nothing is run twice, whatever ends a study and however many workers it has.

mod support;

use onward_explore::{
    Evaluator, Follow, Identity, Local, Outcome, Settings, Space, Store, Stored, Studied, Study, Unevaluated,
    Vocabulary,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

const SPACE: &str = r#"
    [fixed]
    "learning.epochs" = 9

    [parameters]
    "chip.core.lanes" = { from = 4, to = 64, times = 2 }
    "chip.mesh.width" = { from = 1, to = 8, step = 1 }
    "network.bits" = { from = 1, to = 16, step = 1 }

    [objectives]
    accuracy = { maximize = "accuracy_percent" }
    energy = { minimize = "training_energy_j * area_mm2" }

    [search]
    method = "nsga2"
    designs = 90
    learners = 12
    batch = 10
    seed = 3

    [halving]
    "learning.epochs" = [1, 3, 9]
    keep = 0.5
"#;

/// What comes of a design by formulas; wide chips with many lanes cannot be had.
#[derive(Default)]
struct Formulas {
    runs: AtomicUsize,
    groups: AtomicUsize,
}

impl Evaluator for Formulas {
    fn vocabulary(&self) -> Vocabulary {
        support::vocabulary()
    }

    fn identity(&self, settings: &Settings) -> Identity {
        let learner = |(name, _): &(&String, _)| name.starts_with("network") || name.starts_with("learning");
        let of = |settings: BTreeMap<_, _>| blake3_like(&format!("{settings:?}"));
        Identity { answers: of(settings.iter().filter(learner).collect()), design: of(settings.iter().collect()) }
    }

    fn evaluate(&self, designs: &[Settings], finished: &(dyn Fn(usize, Outcome) + Sync)) -> Result<(), Unevaluated> {
        self.groups.fetch_add(1, Ordering::Relaxed);
        let bits = &designs[0]["network.bits"];
        for (at, settings) in designs.iter().enumerate() {
            assert_eq!(&settings["network.bits"], bits, "a group has the same answers");
            self.runs.fetch_add(1, Ordering::Relaxed);
            let number = |name: &str| settings[name].number().unwrap();
            let (lanes, width, bits, epochs) = (
                number("chip.core.lanes"),
                number("chip.mesh.width"),
                number("network.bits"),
                number("learning.epochs"),
            );
            if lanes * width > 256.0 {
                finished(at, Outcome::Refused("it is too large".to_owned()));
                continue;
            }
            let measures = [
                ("accuracy_percent", 100.0 - 40.0 / bits - 20.0 / epochs),
                ("training_energy_j", bits * (1.0 + 8.0 / lanes) / 3.0),
                ("area_mm2", lanes * 0.1 + width * width * bits),
            ];
            let measures = measures.map(|(name, value)| (name.to_owned(), value)).into();
            finished(at, Outcome::Measured { measures, labels: BTreeMap::new() });
        }
        Ok(())
    }
}

fn blake3_like(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}{:08x}", text.len())
}

fn study(space: &Space, evaluator: &Formulas, workers: usize, path: &Path, follow: &mut dyn Follow) -> Studied {
    let executor = Local::new(evaluator, workers).unwrap();
    let mut store = Store::open(path).unwrap();
    Study::new(space, evaluator, &executor, &mut store).run(follow).unwrap()
}

/// Of each point what it is, and what came of it.
fn told(studied: &Studied) -> Vec<(String, String)> {
    studied
        .points
        .iter()
        .map(|point| (point.identity.design.clone(), format!("{:?} {:?}", point.outcome, point.score)))
        .collect()
}

#[test]
fn results_are_the_same_with_any_workers_and_none_is_run_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (space, one, four) = (support::read(SPACE), Formulas::default(), Formulas::default());
    let first = study(&space, &one, 1, &folder.path().join("one.db"), &mut ());
    let second = study(&space, &four, 4, &folder.path().join("four.db"), &mut ());
    assert_eq!(told(&first), told(&second));
    assert_eq!(first.history, second.history);
    assert_eq!(first.points.len(), 90);
    let all = |name: &str| Store::open(&folder.path().join(name)).unwrap().all().unwrap();
    assert_eq!(all("one.db"), all("four.db"));
    assert_eq!(all("one.db").len(), one.runs.load(Ordering::Relaxed));
    // Again, from the store: nothing is run.
    let runs = one.runs.load(Ordering::Relaxed);
    let again = study(&space, &one, 2, &folder.path().join("one.db"), &mut ());
    assert_eq!((told(&again), again.evaluated), (told(&first), 0));
    assert_eq!(one.runs.load(Ordering::Relaxed), runs);
}

/// Ends a study once so many results are there.
struct Until(usize);

impl Follow for Until {
    fn finished(&mut self, _: &Stored) {
        self.0 = self.0.saturating_sub(1);
    }

    fn goes_on(&mut self) -> bool {
        self.0 > 0
    }
}

#[test]
fn what_was_broken_off_goes_on_to_the_same_end() {
    let folder = tempfile::tempdir().unwrap();
    let space = support::read(SPACE);
    let whole = study(&space, &Formulas::default(), 2, &folder.path().join("whole.db"), &mut ());
    let (evaluator, path) = (Formulas::default(), folder.path().join("parts.db"));
    for end in [1, 7, 30] {
        assert!(study(&space, &evaluator, 2, &path, &mut Until(end)).is_interrupted);
    }
    let rest = study(&space, &evaluator, 2, &path, &mut ());
    assert_eq!((told(&rest), rest.front, rest.history), (told(&whole), whole.front, whole.history));
    assert_eq!(evaluator.runs.load(Ordering::Relaxed), Store::open(&path).unwrap().all().unwrap().len());
}

#[test]
fn few_learners_are_run_in_full_and_all_chips_get_one_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let (space, evaluator) = (support::read(SPACE), Formulas::default());
    let studied = study(&space, &evaluator, 1, &folder.path().join("r.db"), &mut ());
    let learners = |is_full: bool| {
        let of: std::collections::BTreeSet<_> = studied
            .points
            .iter()
            .filter(|point| point.score.is_full || !is_full)
            .map(|point| space.learner(&point.design))
            .collect();
        of.len()
    };
    assert_eq!(learners(false), 12);
    assert!((1..=6).contains(&learners(true)), "{}", learners(true));
    let full = studied.points.iter().filter(|point| point.score.is_full).count();
    assert!(full > 45, "{full}");
    assert!(studied.front.iter().all(|&at| studied.points[at].score.is_full));
    assert!(studied.points.iter().any(|point| matches!(point.outcome, Outcome::Refused(_))));
    let last = studied.history.last().unwrap().1;
    assert!(studied.history.windows(2).all(|pair| pair[0].1 <= pair[1].1 + 1e-12) && last > 0.5);
}

#[test]
fn numbers_come_back_to_the_bit_and_foreign_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.db");
    let measures: BTreeMap<String, f64> =
        [("a", 0.1 + 0.2), ("b", f64::MIN_POSITIVE), ("c", 1e300 / 3.0), ("d", -1.0 / 3.0), ("e", 7.0)]
            .map(|(name, value)| (name.to_owned(), value))
            .into();
    let labels = [("clock_limit".to_owned(), "a path".to_owned())].into();
    let identity = Identity { answers: "a".into(), design: "d0123".into() };
    let outcome = Outcome::Measured { measures: measures.clone(), labels };
    let stored = Stored { identity, settings: Settings::new(), outcome };
    Store::open(&path).unwrap().keep(&stored).unwrap();
    let Some(Stored { outcome: Outcome::Measured { measures: found, .. }, .. }) =
        Store::open(&path).unwrap().find("d0123").unwrap()
    else {
        panic!("it is there")
    };
    let bits = |measures: &BTreeMap<String, f64>| measures.values().map(|number| number.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&found), bits(&measures));
    assert_eq!(Store::open(&path).unwrap().find_one("d0").unwrap(), stored);
    assert!(Store::open(&path).unwrap().find_one("x").is_err());
    let open = Store::open(&path).unwrap();
    assert!(Store::open(&path).err().unwrap().to_string().contains("another exploration"));
    drop(open);
    std::fs::write(
        folder.path().join("text.db"),
        "not a database, but long enough to look like a file that could be one",
    )
    .unwrap();
    assert!(Store::open(&folder.path().join("text.db")).err().unwrap().to_string().contains("no file of results"));
}
