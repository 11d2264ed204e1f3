//! Writes the seeds of a target into a folder: `seeds TARGET FOLDER`.

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, folder] = &arguments[..] else { panic!("seeds TARGET FOLDER") };
    std::fs::create_dir_all(folder).expect("the folder can be made");
    for (number, seed) in onward_fuzz::seeds::of(target).iter().enumerate() {
        std::fs::write(format!("{folder}/seed-{number}"), seed).expect("a seed can be written");
    }
}
