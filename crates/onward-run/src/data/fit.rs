//! Which data an image can be shown.

use super::{DataError, Dataset, archive};
use onward_diagnostic::below;
use onward_image::{Encoding, Image, PopulationKind};
use std::path::Path;

impl Dataset {
    /// Loads the data that is given, or else the one that the network names, and checks that the image can be shown it. A
    /// relative path in the network is seen from the folder of `named_in`, the text or the image that names it.
    ///
    /// # Errors
    /// There is none, it cannot be read, or it does not fit: see [`Dataset::load`] and [`Dataset::fits`]. What the network names lies
    /// outside that folder.
    pub fn for_image(image: &Image, given: Option<&str>, named_in: &Path) -> Result<Dataset, DataError> {
        let path = Dataset::path_for_image(image, given, named_in);
        let path = path.ok_or_else(|| DataError::NotNamed { network: image.network.name.clone() })?;
        if given.is_none() {
            lies_below(named_in, &path)?;
        }
        let dataset = Dataset::load(&path)?;
        dataset.fits(image)?;
        Ok(dataset)
    }

    /// The name or path of the data that [`Dataset::for_image`] loads, if there is any.
    pub fn path_for_image(image: &Image, given: Option<&str>, named_in: &Path) -> Option<String> {
        let named = || image.network.data.as_deref().map(|named| seen_from(named_in, named));
        given.map(str::to_owned).or_else(named)
    }

    /// Whether an image can be shown the data: samples are of the input's shape and in the form that its encoding takes,
    /// values to be learned are as many as the target's, and no label is beyond the classes.
    ///
    /// # Errors
    /// What does not fit, with the first sample that does not.
    pub fn fits(&self, image: &Image) -> Result<(), DataError> {
        let (network, window) = (&image.network, image.network.window_steps);
        let values = network.target().filter(|target| target.kind == PopulationKind::ValueTarget);
        if let Some(values) = values {
            self.check_values(values.neurons)?;
        }
        // Classes are those of the target, or the neurons that answer; spikes and values are not compared with labels.
        let readout = network.readout().map(|(_, readout)| readout);
        let classes = network.classes().or(match readout.map(|readout| &readout.kind) {
            _ if values.is_some() => Some(u32::MAX),
            Some(PopulationKind::SpikeReadout) => Some(u32::MAX),
            Some(PopulationKind::Readout) => readout.map(|readout| readout.neurons),
            _ => None,
        });
        let (Some(input), Some(classes)) = (network.input(), classes) else { return Ok(()) };
        let axons = input.population.neurons;
        match input.encoding {
            Some(Encoding::Events) => self.check_events(axons, window, classes),
            Some(Encoding::Delta { .. }) => self.check_sequences(axons, 2, window, classes),
            Some(Encoding::Sequence { .. }) => self.check_sequences(axons, 3, window, classes),
            _ if self.test.is_recorded() => Err(DataError::Recorded { name: self.name.clone() }),
            _ => self.check(input.shape, classes),
        }
    }
}

/// Whether data that a text or an image names itself, which may be a stranger's, lie in its folder or below. What is not there at all
/// is told of when it is loaded.
fn lies_below(file: &Path, path: &str) -> Result<(), DataError> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let paths = archive::npy_pair(path).map_or(vec![path], |_| path.split(',').collect());
    match paths.into_iter().find(|path| Path::new(path).exists() && below(folder, Path::new(path)).is_err()) {
        Some(outside) if !Dataset::is_builtin(path) => Err(DataError::Outside { path: outside.to_owned() }),
        _ => Ok(()),
    }
}

/// The path of a named data set, seen from the folder of the file that names it; built-in names stay as they are.
fn seen_from(file: &Path, name: &str) -> String {
    if Dataset::is_builtin(name) {
        return name.to_owned();
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    let seen = |name: &str| folder.join(name).to_string_lossy().into_owned();
    match archive::npy_pair(name) {
        Some(_) => name.split(',').map(seen).collect::<Vec<_>>().join(","),
        None => seen(name),
    }
}
