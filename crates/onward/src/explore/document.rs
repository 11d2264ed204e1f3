//! A study for machines.

use crate::explore::report::Analysis;
use onward_explore::effects::Share;
use onward_explore::{Outcome, Point, Space, Studied};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// All designs with their parameters, measures and objectives, and the front.
pub fn document(space: &Space, studied: &Studied, analysis: &Analysis) -> Value {
    let best: BTreeSet<usize> = studied.front.iter().copied().collect();
    let points: Vec<Value> =
        studied.points.iter().enumerate().map(|(at, point)| of(space, point, best.contains(&at))).collect();
    let history = studied
        .history
        .iter()
        .map(|(designs, share)| json!({"designs": designs, "hypervolume_percent": 100.0 * share}));
    json!({
        "space": space.name,
        "method": space.search.method.name(),
        "seed": space.search.seed,
        "interrupted": studied.is_interrupted,
        "networks_learned": studied.learners,
        "objectives": space.objectives.iter().map(|objective| json!({
            "name": objective.name,
            "expression": objective.expression.text,
            "sense": if objective.is_maximized { "maximize" } else { "minimize" },
        })).collect::<Vec<_>>(),
        "parameters": space.parameters.iter().map(|parameter| json!({"name": parameter.name, "values": parameter.values})).collect::<Vec<_>>(),
        "history": history.collect::<Vec<_>>(),
        "front": studied.front.iter().map(|&at| studied.points[at].id()).collect::<Vec<_>>(),
        "knee": knee_of(studied),
        "effects": analysis.effects.iter().map(|effects| {
            let name = |at: usize| space.parameters[at].name.as_str();
            json!({
                "objective": space.objectives[effects.objective].name,
                "logarithmic": effects.is_logarithmic,
                "main": effects.main.iter().enumerate().map(|(at, share)| with(share, json!({"parameter": name(at), "parts": effects.parts[at]}))).collect::<Vec<_>>(),
                "pairs": effects.pairs.iter().map(|(a, b, share)| with(share, json!({"parameters": [name(*a), name(*b)]}))).collect::<Vec<_>>(),
            })
        }).collect::<Vec<_>>(),
        "robustness": analysis.robustness(space, studied),
        "designs": points,
    })
}

fn knee_of(studied: &Studied) -> Option<&str> {
    let objectives: Vec<Vec<f64>> =
        studied.front.iter().filter_map(|&at| studied.points[at].candidate().cloned()).collect();
    onward_explore::front::knee(&objectives).map(|knee| studied.points[studied.front[knee]].id())
}

fn with(share: &Share, mut of: Value) -> Value {
    of["percent"] = share.percent.into();
    of["lowest"] = share.lowest.into();
    of["highest"] = share.highest.into();
    of
}

fn of(space: &Space, point: &Point, is_best: bool) -> Value {
    let objectives: Map<String, Value> = match &point.score.objectives {
        Some(numbers) => space
            .objectives
            .iter()
            .zip(numbers)
            .map(|(objective, number)| {
                (objective.name.clone(), json!(if objective.is_maximized { -number } else { *number }))
            })
            .collect(),
        None => Map::new(),
    };
    let (measures, labels, reason) = match &point.outcome {
        Outcome::Measured { measures, labels } => (json!(measures), json!(labels), point.reason.clone()),
        Outcome::Refused(reason) => (json!({}), json!({}), Some(reason.clone())),
    };
    json!({
        "id": point.id(),
        "key": point.identity.design,
        "batch": point.batch,
        "parameters": point.settings,
        "objectives": objectives,
        "measures": measures,
        "labels": labels,
        "reason": reason,
        "in_full": point.score.is_full,
        "candidate": point.candidate().is_some(),
        "front": is_best,
    })
}
