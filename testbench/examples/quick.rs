use onward_chip::Chip; use onward_compile::*; use onward_diagnostic::Source; use onward_run::*; use onward_emulate::Options as O;
use std::ops::ControlFlow;
fn main(){
 let a: Vec<String> = std::env::args().collect();
 let text=std::fs::read_to_string(&a[1]).unwrap(); let source=Source::new(a[1].clone(),text);
 let o=Options{chip:Chip::builtin(&a[3]).unwrap(),seed:1};
 let image=compile(&source,&o).unwrap_or_else(|e|panic!("{}",source.render(&e)));
 let data=data::Dataset::load(&a[2]).unwrap();
 let timing = a[4]=="cycle"; let threads=a[5].parse().unwrap(); let epochs=a[6].parse().unwrap();
 let mut s=Session::new(&image,O{seed:1,timing,threads}).unwrap();
 let r=train(&mut s,&image,&data,epochs,1,|_|ControlFlow::Continue(()),|e|println!("{} {:.2}% {:?} {:?} {}",e.epoch,e.accuracy_percent(),e.learn_time,e.test_time,&e.weights_hash[..12])).unwrap();
 println!("{:?} {:?} {:?}",r.learning,r.testing,r.counters.timing);

 let mut ops=std::collections::BTreeMap::new();
 for b in &r.counters.blocks { let w=&image.programs[image.blocks[b.block as usize].program as usize].words; for (at,c) in b.addresses.iter().enumerate(){ if at<w.len(){ let m=onward_isa::Instruction::decode(w[at]).unwrap().op.description().mnemonic; let e=ops.entry(m).or_insert((0u64,0u64)); e.0+=c.executed; e.1+=c.elements; } } }
 let mut v:Vec<_>=ops.into_iter().collect(); v.sort_by_key(|x|std::cmp::Reverse(x.1.0)); for (m,(e,l)) in v.iter().take(30){println!("{m:10} {:8.1}M {:10.1}M", *e as f64/1e6, *l as f64/1e6);}
}
