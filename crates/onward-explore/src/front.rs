//! Pareto fronts: who dominates whom, sorting by that, hypervolume, knees. Of every number less is better here.

/// Whether `a` is nowhere worse than `b`, and somewhere better.
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b)
}

/// Which points no other dominates, in their order. Of equal points all are.
pub fn front(points: &[Vec<f64>]) -> Vec<usize> {
    (0..points.len()).filter(|&at| !points.iter().any(|other| dominates(other, &points[at]))).collect()
}

/// For each point in which front it is: 0 is dominated by none, 1 only by those of 0, and so on.
pub fn ranks(points: &[Vec<f64>]) -> Vec<usize> {
    let mut ranks = vec![usize::MAX; points.len()];
    let mut rest: Vec<usize> = (0..points.len()).collect();
    let mut rank = 0;
    while !rest.is_empty() {
        let is_free = |at: usize| !rest.iter().any(|&other| dominates(&points[other], &points[at]));
        let (now, later): (Vec<usize>, Vec<usize>) = rest.iter().partition(|&&at| is_free(at));
        now.into_iter().for_each(|at| ranks[at] = rank);
        rest = later;
        rank += 1;
    }
    ranks
}

/// How far apart the neighbours of each point lie, in all objectives together; the ends are infinitely far (Deb et al., "A fast and
/// elitist multiobjective genetic algorithm: NSGA-II", IEEE Transactions on Evolutionary Computation 6(2), 2002).
pub fn crowding(points: &[Vec<f64>]) -> Vec<f64> {
    let mut distances = vec![0.0; points.len()];
    for objective in 0..points.first().map_or(0, Vec::len) {
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|&a, &b| points[a][objective].total_cmp(&points[b][objective]));
        let (Some(&first), Some(&last)) = (order.first(), order.last()) else { continue };
        let span = points[last][objective] - points[first][objective];
        distances[first] = f64::INFINITY;
        distances[last] = f64::INFINITY;
        if span > 0.0 {
            for three in order.windows(3) {
                distances[three[1]] += (points[three[2]][objective] - points[three[0]][objective]) / span;
            }
        }
    }
    distances
}

/// The volume that points dominate, as far as `reference`; points that are not better than that in all objectives add nothing.
///
/// Exact, by the exclusive volume of one point after the other (While, Bradstreet, Barone, "A fast way of calculating exact
/// hypervolumes", IEEE Transactions on Evolutionary Computation 16(1), 2012).
pub fn hypervolume(points: &[Vec<f64>], reference: &[f64]) -> f64 {
    let within = |point: &&Vec<f64>| point.iter().zip(reference).all(|(number, end)| number < end);
    let mut points: Vec<Vec<f64>> = points.iter().filter(within).cloned().collect();
    without_dominated(&mut points);
    volume(&mut points, reference)
}

/// What a point adds to the volume of others.
pub fn exclusive(point: &[f64], others: &[Vec<f64>], reference: &[f64]) -> f64 {
    if point.iter().zip(reference).any(|(number, end)| number >= end) {
        return 0.0;
    }
    let box_of: f64 = point.iter().zip(reference).map(|(number, end)| end - number).product();
    let limited = |other: &Vec<f64>| -> Vec<f64> { other.iter().zip(point).map(|(a, b)| a.max(*b)).collect() };
    let within = |other: &Vec<f64>| other.iter().zip(reference).all(|(number, end)| number < end);
    let mut limited: Vec<Vec<f64>> = others.iter().map(limited).filter(within).collect();
    without_dominated(&mut limited);
    (box_of - volume(&mut limited, reference)).max(0.0)
}

/// The volume of points of which none dominates another.
fn volume(points: &mut [Vec<f64>], reference: &[f64]) -> f64 {
    // What is good in the last objective first: the limited sets are small then.
    let last = reference.len().saturating_sub(1);
    points.sort_by(|a, b| b[last].total_cmp(&a[last]));
    if reference.len() == 2 {
        // From the best in the first objective on, each adds a strip.
        let (mut sum, mut end) = (0.0, reference[1]);
        points.sort_by(|a, b| a[0].total_cmp(&b[0]));
        for point in points.iter() {
            sum += (reference[0] - point[0]) * (end - point[1]);
            end = point[1];
        }
        return sum;
    }
    (0..points.len()).map(|at| exclusive(&points[at], &points[at + 1..], reference)).sum()
}

/// Takes out what another dominates, and all but one of equal points.
fn without_dominated(points: &mut Vec<Vec<f64>>) {
    points.sort_by(|a, b| {
        a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    points.dedup();
    let kept = front(points);
    let mut at = 0;
    points.retain(|_| {
        at += 1;
        kept.binary_search(&(at - 1)).is_ok()
    });
}

/// How numbers of an objective are compared where several objectives come together: from 0, the best that was seen, to 1, the worst;
/// of positive numbers that span more than tenfold by their logarithm.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// For each objective the best, the worst, and whether it is by logarithms.
    axes: Vec<(f64, f64, bool)>,
}

impl Scale {
    /// The scale of points; of none, every number is 0.
    pub fn of(points: &[Vec<f64>]) -> Scale {
        let objectives = points.first().map_or(0, Vec::len);
        let axis = |objective: usize| {
            let numbers = points.iter().map(|point| point[objective]);
            let lowest = numbers.clone().fold(f64::INFINITY, f64::min);
            let highest = numbers.fold(f64::NEG_INFINITY, f64::max);
            let is_logarithmic = lowest > 0.0 && highest > 10.0 * lowest;
            (lowest, highest, is_logarithmic)
        };
        Scale { axes: (0..objectives).map(axis).collect() }
    }

    /// A point on the scale.
    pub fn scaled(&self, point: &[f64]) -> Vec<f64> {
        let scaled = |(&number, &(lowest, highest, is_logarithmic)): (&f64, &(f64, f64, bool))| {
            let (number, lowest, highest) = match is_logarithmic {
                true => (number.max(f64::MIN_POSITIVE).ln(), lowest.ln(), highest.ln()),
                false => (number, lowest, highest),
            };
            if highest > lowest { (number - lowest) / (highest - lowest) } else { 0.0 }
        };
        point.iter().zip(&self.axes).map(scaled).collect()
    }

    /// The share of what could be dominated that points do: their hypervolume on the scale, to a reference a tenth behind the worst, over that of a point
    /// that is best in everything.
    pub fn share(&self, points: &[Vec<f64>]) -> f64 {
        let reference = vec![1.1; self.axes.len()];
        let scaled: Vec<Vec<f64>> = points.iter().map(|point| self.scaled(point)).collect();
        hypervolume(&scaled, &reference) / 1.1f64.powi(self.axes.len() as i32)
    }
}

/// The knee of a front: the point that lies farthest before the plane through the ends, which is that with the least sum on the front's
/// own scale; of equal ones the first. `None` of fewer than three points.
pub fn knee(points: &[Vec<f64>]) -> Option<usize> {
    let scale = Scale::of(points);
    let sum = |point: &Vec<f64>| scale.scaled(point).iter().sum::<f64>();
    (points.len() >= 3).then(|| {
        let sums: Vec<f64> = points.iter().map(sum).collect();
        (0..sums.len()).min_by(|&a, &b| sums[a].total_cmp(&sums[b]))
    })?
}
