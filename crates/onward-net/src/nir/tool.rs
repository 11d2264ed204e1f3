//! What tools mean by the NIR files that they write, where it is not what NIR says.
//!
//! A tool's neurons go in steps, and so does a network here; NIR's equations lie between, and what is lost on the way there
//! is put back here. Each fact has its source: a file of the tool's version that is named.

use super::{Integration, Options, ResetRule};
use crate::neuron::Fires;

/// A framework that writes NIR files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// snnTorch 1.0.0, `snntorch/export_nir.py`: tau = dt / (1 - beta) with dt = 1e-4. `_neurons/neurons.py` and
    /// `surrogate.py`: fires where U > U_thr; `_neurons/leaky.py`: by default (`reset_mechanism = "subtract"`, `reset_delay`)
    /// U' = beta U + I - S U_thr, with the spike of the step before.
    SnnTorch,
    /// Norse 1.1.0, `torch/utils/export_nir.py`: tau = dt / tau_inv with dt = 1e-3, so that a step is dt^2 = 1e-6 in the file's
    /// unit. `torch/functional/heaviside.py`: fires above; `lif_box.py`, `lif.py`: v becomes v_reset, and a spike adds its
    /// whole weight to the current of a `LIFCell`, whose `w_in` the file leaves out.
    Norse,
    /// Sinabs 3.1.3, `layers/functional/lif.py`: v' = alpha v + (1 - alpha) s with alpha = exp(-1 / tau), tau in steps;
    /// `activation/spike_generation.py`: fires at the threshold; by default (`MembraneSubtract`) subtracts it at once.
    Sinabs,
    /// Rockpool 3.1.0, `nn/modules/torch/lif_torch.py`: i' = beta (i + s), v' = alpha v + i', with alpha and beta
    /// exp(-dt / tau); fires at the threshold, which is subtracted at once. Its dt is 1e-3 if the user does not say.
    Rockpool,
    /// SpikingJelly 2.0.0, `activation_based/nir_exchange/to_nir.py`: r of an IF is 1 / dt, with dt = 1e-4;
    /// `surrogate.py`: fires at the threshold; only hard resets are exported.
    SpikingJelly,
    /// Spyx 1.0.0, `nir.py`: tau = dt / (1 - beta) with dt = 1, and r, which its own import does not read, is no gain:
    /// `nn.py`: V' = beta V + x - S V_thr with the spike of the step before, and CuBaLIF V' = beta (V - S V_thr) + I'; fires above.
    Spyx,
    /// Lava 0.10, `lava/proc/lif/models.py` (`PyLifModelFloat`): fires where v > vth, and v becomes 0: as NIR says.
    Lava,
}

impl Tool {
    /// All of them, by the names that a user gives.
    pub const ALL: [(&'static str, Tool); 7] = [
        ("snntorch", Tool::SnnTorch),
        ("norse", Tool::Norse),
        ("sinabs", Tool::Sinabs),
        ("rockpool", Tool::Rockpool),
        ("spikingjelly", Tool::SpikingJelly),
        ("spyx", Tool::Spyx),
        ("lava", Tool::Lava),
    ];

    /// The choices for a file of the tool with its own defaults.
    pub fn options(self) -> Options {
        let default = Options { tool: Some(self), ..Options::default() };
        match self {
            Tool::SnnTorch => Options { reset: ResetRule::SubtractLate, ..default },
            Tool::Norse => Options { time_step: 1e-6, integration: Integration::Steps, ..default },
            Tool::Sinabs => Options {
                time_step: 1.0,
                fires: Fires::At,
                reset: ResetRule::Subtract,
                integration: Integration::Steps,
                ..default
            },
            Tool::Rockpool => Options { time_step: 1e-3, fires: Fires::At, reset: ResetRule::Subtract, ..default },
            Tool::SpikingJelly => Options { fires: Fires::At, integration: Integration::Time, ..default },
            Tool::Spyx => {
                Options { time_step: 1.0, reset: ResetRule::SubtractLate, integration: Integration::Steps, ..default }
            }
            Tool::Lava => default,
        }
    }

    /// Whether quantities decay by exp(-dt / tau), instead of Euler's 1 - dt / tau.
    pub(super) fn is_exponential(self) -> bool {
        matches!(self, Tool::Sinabs | Tool::Rockpool)
    }

    /// What a neuron may do there and not here, for a note.
    pub(super) fn remark(self) -> Option<&'static str> {
        match self {
            Tool::Sinabs | Tool::Rockpool => Some(
                "its neurons may fire several times in a step, and here once: what is above the threshold stays for the next",
            ),
            _ => None,
        }
    }
}
