//! The shape of what each node sends, found from the input on, and whether what each is sent fits it.

use super::error::NirError;
use super::graph::{Convolution, Graph, Kind, Node, Padding, Pool};

/// Sizes, outermost first.
pub(super) type Shape = Vec<usize>;

/// Places of a shape at most: as many as an input of the network graph may have.
const SIZE_MAX: usize = 1 << 24;

/// The shape of what each node sends; nothing where no path leads to it from the input.
pub(super) fn shapes(graph: &Graph, notes: &mut Vec<String>) -> Result<Vec<Option<Shape>>, NirError> {
    let mut shapes: Vec<Option<Shape>> = vec![None; graph.nodes.len()];
    // Round cycles a shape comes from whichever of the sources has one first; all are compared below.
    loop {
        let mut has_changed = false;
        for (index, node) in graph.nodes.iter().enumerate() {
            if shapes[index].is_some() {
                continue;
            }
            let input = graph.sources[index].iter().find_map(|&source| shapes[source].as_ref());
            shapes[index] = match (&node.kind, input) {
                (Kind::Input(shape), _) => Some(without_batch(shape)),
                (_, Some(input)) => Some(output(node, &taken(node, input).unwrap_or_else(|| input.clone()))?),
                (_, None) => None,
            };
            if let Some(shape) = &shapes[index] {
                check_size(node, shape)?;
                has_changed = true;
            }
        }
        if !has_changed {
            break;
        }
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        check_sources(graph, index, node, &shapes, notes)?;
    }
    Ok(shapes)
}

/// What a node takes in, given what one of its sources sends: flattened, if it has rows and columns and a full
/// connection wants them in a row. Frameworks that count a batch dimension write such files.
fn taken(node: &Node, sent: &Shape) -> Option<Shape> {
    match &node.kind {
        Kind::Linear(weight, _) => (size(sent) == weight.shape[1]).then(|| vec![weight.shape[1]]),
        _ => None,
    }
}

/// Whether shapes have the same places in the same order: sizes of 1 make no difference, which frameworks write for a batch.
fn is_alike(one: &[usize], other: &[usize]) -> bool {
    let wide = |shape: &[usize]| shape.iter().copied().filter(|&size| size != 1).collect::<Vec<_>>();
    wide(one) == wide(other)
}

/// An input without sizes of 1 in front, as far as it has more sizes than there is room for.
pub(super) fn without_batch(shape: &Shape) -> Shape {
    let more = shape.len().saturating_sub(3);
    let leading = shape.iter().take(more).take_while(|&&size| size == 1).count();
    shape[leading..].to_vec()
}

fn check_sources(
    graph: &Graph,
    index: usize,
    node: &Node,
    shapes: &[Option<Shape>],
    notes: &mut Vec<String>,
) -> Result<(), NirError> {
    let sent = graph.sources[index].iter().filter_map(|&source| Some((source, shapes[source].as_ref()?)));
    let mut first: Option<(usize, &Shape)> = None;
    for (source, shape) in sent {
        let path = &graph.nodes[source].path;
        if let (Kind::Linear(weight, _), Kind::Flatten { .. }) = (&node.kind, &graph.nodes[source].kind)
            && shape.len() > 1
            && size(shape) == weight.shape[1]
        {
            notes.push(format!(
                "`{path}` makes the shape {shape:?}, and `{}` takes {}: it is taken to flatten all of it",
                node.path, weight.shape[1]
            ));
            continue;
        }
        if let Kind::Linear(weight, _) = &node.kind
            && !is_alike(shape, &[weight.shape[1]])
        {
            let cause = format!("it takes {} numbers, but `{path}` sends the shape {shape:?}", weight.shape[1]);
            let help = if size(shape) == weight.shape[1] { "put a Flatten between them" } else { EDGE };
            return Err(NirError::node(&node.path, cause, help));
        }
        match first {
            Some((other, expected)) if !is_alike(expected, shape) => {
                let cause = format!(
                    "`{}` sends it the shape {expected:?}, but `{path}` sends {shape:?}",
                    graph.nodes[other].path
                );
                return Err(NirError::node(&node.path, cause, "what is added must have one shape"));
            }
            _ => first = Some((source, shape)),
        }
    }
    let Some((source, sent)) = first else { return Ok(()) };
    let source = &graph.nodes[source].path;
    match &node.kind {
        Kind::Wire(shape) | Kind::Output(shape) if !shape.is_empty() && !is_alike(shape, sent) => {
            let cause = format!("it is for the shape {shape:?}, but `{source}` sends {sent:?}");
            Err(NirError::node(&node.path, cause, EDGE))
        }
        Kind::Neurons(neurons) => {
            for (name, parameter) in neurons.parameters() {
                if !spreads(&parameter.shape, sent) {
                    let cause =
                        format!("its `{name}` has the shape {:?}, but `{source}` sends {sent:?}", parameter.shape);
                    return Err(NirError::node(&node.path, cause, PARAMETER));
                }
                if is_ambiguous(&parameter.shape, sent)
                    && parameter.values.iter().any(|&v| !is_same(v, parameter.values[0]))
                {
                    notes.push(format!(
                        "`{}`: its `{name}` has the shape {:?} for {sent:?}: it is taken along the last dimension, as NumPy does",
                        node.path, parameter.shape
                    ));
                }
            }
            Ok(())
        }
        Kind::Scale(parameter) | Kind::Delay(parameter) if !spreads(&parameter.shape, sent) => {
            let cause = format!("it is for the shape {:?}, but `{source}` sends {sent:?}", parameter.shape);
            Err(NirError::node(&node.path, cause, PARAMETER))
        }
        _ => Ok(()),
    }
}

const EDGE: &str = "the two ends of an edge must have one shape";
const PARAMETER: &str = "a parameter is one number, has the shape of what comes in, a size of 1 standing for all, or has one \
                         number for each channel";

/// A parameter's shape seen from the shape of what comes in, size by size: as NumPy broadcasts, or else with a number for each
/// channel. Nothing if it has no number for each place.
fn aligned(parameter: &[usize], shape: &[usize]) -> Option<Vec<usize>> {
    let mut own = parameter.to_vec();
    while own.len() > shape.len() && own.first() == Some(&1) {
        own.remove(0);
    }
    if own.iter().product::<usize>() == 1 {
        return Some(vec![1; shape.len()]);
    }
    let fits =
        |own: &[usize]| own.len() == shape.len() && own.iter().zip(shape).all(|(&own, &size)| own == size || own == 1);
    let broadcast = [vec![1; shape.len().saturating_sub(own.len())], own.clone()].concat();
    if fits(&broadcast) {
        return Some(broadcast);
    }
    let of_channels = [own, vec![1; shape.len().saturating_sub(1)]].concat();
    fits(&of_channels).then_some(of_channels)
}

/// Whether a vector could be one number a channel, or along the last dimension.
fn is_ambiguous(parameter: &[usize], shape: &[usize]) -> bool {
    matches!(parameter, [size] if *size > 1 && shape.len() > 1 && shape[0] == *size && shape[shape.len() - 1] == *size)
}

/// Whether a parameter of a shape has a number for each place of another.
fn spreads(parameter: &[usize], shape: &[usize]) -> bool {
    aligned(parameter, shape).is_some()
}

/// A parameter with a number for each place of a shape that it spreads over.
pub(super) fn spread(parameter: &crate::values::Array, shape: &[usize]) -> Vec<f64> {
    let own = aligned(&parameter.shape, shape).unwrap_or_else(|| vec![1; shape.len()]);
    let mut values = Vec::with_capacity(size(shape));
    for place in 0..size(shape) {
        let (mut rest, mut index, mut step) = (place, 0, 1);
        for (&extent, &own) in shape.iter().zip(&own).rev() {
            index += if own == 1 { 0 } else { rest % extent * step };
            step *= own;
            rest /= extent;
        }
        values.push(parameter.values[index]);
    }
    values
}

/// Places of a shape.
pub(super) fn size(shape: &[usize]) -> usize {
    shape.iter().fold(1, |product, &extent| product.saturating_mul(extent))
}

fn check_size(node: &Node, shape: &Shape) -> Result<(), NirError> {
    if size(shape) > SIZE_MAX {
        let cause = format!("what it sends has the shape {shape:?}, more than {SIZE_MAX} places");
        return Err(NirError::node(&node.path, cause, "a smaller network would fit"));
    }
    if shape.len() > 3 {
        let cause = format!("what it sends has the shape {shape:?}, with {} sizes", shape.len());
        return Err(NirError::node(
            &node.path,
            cause,
            "there is room for channels, height and width; leave out the batch",
        ));
    }
    Ok(())
}

/// The shape of what a node sends if it is sent this.
fn output(node: &Node, input: &Shape) -> Result<Shape, NirError> {
    match &node.kind {
        Kind::Linear(weight, _) => Ok(vec![weight.shape[0]]),
        Kind::Convolution(convolution) => convolved(node, convolution, input),
        Kind::Pool(pool) => pooled(node, pool, input),
        Kind::Flatten { start, end } => flattened(node, *start, *end, input),
        Kind::Input(_) | Kind::Output(_) | Kind::Wire(_) | Kind::Scale(_) | Kind::Delay(_) | Kind::Neurons(_) => {
            Ok(input.clone())
        }
    }
}

/// Zeros before the first row and column, and behind the last, of a plane of these sizes. With a stride, `same` keeps a place
/// for each stride that is begun.
pub(super) fn padding(convolution: &Convolution, sizes: [usize; 2]) -> ([usize; 2], [usize; 2]) {
    match convolution.padding {
        Padding::Sizes(sizes) => (sizes, sizes),
        Padding::Same => {
            let total = [0, 1].map(|axis| {
                let reach = (convolution.kernel()[2 + axis] - 1).saturating_mul(convolution.dilation[axis]);
                let stride = convolution.stride[axis];
                let last = (sizes[axis].div_ceil(stride).saturating_sub(1)).saturating_mul(stride);
                last.saturating_add(reach).saturating_add(1).saturating_sub(sizes[axis])
            });
            (total.map(|total| total / 2), total.map(|total| total - total / 2))
        }
    }
}

/// Channels, height and width of a shape; one in one dimension has height 1.
pub(super) fn plane(shape: &[usize]) -> Option<[usize; 3]> {
    match *shape {
        [channels, length] => Some([channels, 1, length]),
        [channels, height, width] => Some([channels, height, width]),
        _ => None,
    }
}

fn convolved(node: &Node, convolution: &Convolution, input: &Shape) -> Result<Shape, NirError> {
    let rank = if convolution.is_line { 2 } else { 3 };
    let Some([channels, height, width]) = plane(input).filter(|_| input.len() == rank) else {
        let needed = if convolution.is_line { "channels and length" } else { "channels, height and width" };
        return Err(NirError::node(&node.path, format!("it takes {needed}, but is sent the shape {input:?}"), EDGE));
    };
    let [outputs, inputs, kernel_height, kernel_width] = convolution.kernel();
    if channels != inputs.saturating_mul(convolution.groups) {
        let cause = format!(
            "its weights are for {inputs} channels in {} groups, but it is sent {channels} channels",
            convolution.groups
        );
        return Err(NirError::node(&node.path, cause, EDGE));
    }
    let (before, behind) = padding(convolution, [height, width]);
    let mut sizes = [height, width];
    for (axis, kernel) in [kernel_height, kernel_width].into_iter().enumerate() {
        let reach = (kernel - 1).saturating_mul(convolution.dilation[axis]).saturating_add(1);
        let all = sizes[axis].saturating_add(before[axis]).saturating_add(behind[axis]);
        let Some(room) = all.checked_sub(reach) else {
            let cause = format!("its kernel reaches over {reach} places, but with padding there are {all}");
            return Err(NirError::node(&node.path, cause, "use a smaller kernel, or more padding"));
        };
        sizes[axis] = room / convolution.stride[axis] + 1;
    }
    Ok(if convolution.is_line { vec![outputs, sizes[1]] } else { vec![outputs, sizes[0], sizes[1]] })
}

fn pooled(node: &Node, pool: &Pool, input: &Shape) -> Result<Shape, NirError> {
    let [channels, height, width] = input[..] else {
        let cause = format!("it takes channels, height and width, but is sent the shape {input:?}");
        return Err(NirError::node(&node.path, cause, EDGE));
    };
    let mut sizes = [height, width];
    for axis in [0, 1] {
        let all = sizes[axis].saturating_add(pool.padding[axis].saturating_mul(2));
        let Some(room) = all.checked_sub(pool.window[axis]) else {
            let cause = format!("its windows of {} are larger than the {all} places with padding", pool.window[axis]);
            return Err(NirError::node(&node.path, cause, "use a smaller window"));
        };
        sizes[axis] = room / pool.stride[axis] + 1;
    }
    Ok(vec![channels, sizes[0], sizes[1]])
}

fn flattened(node: &Node, start: i64, end: i64, input: &Shape) -> Result<Shape, NirError> {
    let rank = input.len() as i64;
    let index = |dimension: i64| if dimension < 0 { dimension.saturating_add(rank) } else { dimension };
    let (first, last) = (index(start), index(end));
    if rank > 0 && !(0 <= first && first <= last && last < rank) {
        // What is flat already, as frameworks that count a batch dimension say it.
        if rank == 1 && start == 1 && end == -1 {
            return Ok(input.clone());
        }
        let cause = format!("it flattens dimensions {start} to {end} of the shape {input:?}");
        return Err(NirError::node(&node.path, cause, "dimensions are counted from 0, or from -1 backwards"));
    }
    if rank == 0 {
        return Ok(vec![1]);
    }
    let (first, last) = (first as usize, last as usize);
    Ok([&input[..first], &[size(&input[first..=last])], &input[last + 1..]].concat())
}

/// Whether numbers are the same, to the bit.
pub(super) fn is_same(one: f64, other: f64) -> bool {
    one.to_bits() == other.to_bits()
}

/// A weight for each channel of a plane, if each channel has one.
pub(super) fn by_channel(scales: &[f64], [_, height, width]: [usize; 3]) -> Option<Vec<f64>> {
    let channels = scales.chunks_exact(height * width);
    channels.map(|channel| channel.iter().all(|scale| is_same(*scale, channel[0])).then_some(channel[0])).collect()
}
