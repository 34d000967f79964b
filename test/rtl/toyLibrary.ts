/** A Liberty library of four cells with round numbers, for calculations by hand. */
import { cellLibrary } from '../../src/rtl/synth/cells.js';
import { parseLiberty } from '../../src/rtl/synth/liberty.js';

export const LIBRARY = `
/* two cells */
library (toy) {
  time_unit : "10ps";
  voltage_unit : "1V";
  capacitive_load_unit (1, ff);
  leakage_power_unit : "1uW";
  default_operating_conditions : typical;
  operating_conditions (typical) { voltage : 2; temperature : 25; }
  power_lut_template (both) {
    variable_1 : input_transition_time; variable_2 : total_output_net_capacitance;
    index_1 ("1, 2"); index_2 ("1000, 3000");
  }
  power_lut_template (slews) { variable_1 : input_transition_time; index_1 ("1, 2"); }
  cell (INV) {
    area : 4; cell_leakage_power : 0.5;
    pin (A) { direction : input; capacitance : 10; }
    pin (Y) {
      direction : output; function : "(!A)";
      internal_power () {
        related_pin : "A";
        rise_power (both) { values ("1, 3", \\
                                    "2, 4"); }
        fall_power (both) { values ("3, 5", "4, 6"); }
      }
    }
  }
  cell (BIGINV) { area : 9; pin (A) { direction : input; } pin (Y) { direction : output; function : "A'"; } }
  cell (NOR) {
    area : 6;
    pin (A) { direction : input; capacitance : 10; } pin (B) { direction : input; capacitance : 10; }
    pin (Y) { direction : output; function : "(!(A+B))"; }
  }
  cell (DFF) {
    area : 20
    ff (IQ, IQN) { next_state : "D"; clocked_on : "CLK"; }
    pin (D) { direction : input; capacitance : 20; }
    pin (CLK) { direction : input; capacitance : 30; internal_power () { power (slews) { values ("8, 8"); } } }
    pin (Q) { direction : output; function : "IQ"; }
  }
}`;

export const library = cellLibrary(parseLiberty(LIBRARY, 'toy.lib'));
