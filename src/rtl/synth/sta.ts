/**
 * OpenSTA: the slowest path of a netlist and the slews at its cells, at the library's own corner, without wires.
 *
 * The version in Debian (2019-11) takes activities at ports and carries them through logic as probabilities; it cannot
 * take the measured transitions of nets. So energy is summed in energy.ts, with slews from here. What `report_power`
 * says with the ports' measured activities stands beside it.
 */
import { UserError } from '../../errors.js';

export interface StaJob {
  liberty: string;
  /** Verilog of the netlist, and its top module. */
  netlist: string;
  top: string;
  clock: string;
  /** ns */
  period: number;
  /** Cell that drives the inputs, and fF that each output drives. */
  driver: string;
  load: number;
  /** Transitions per cycle of input ports, by bit. */
  activities?: ReadonlyMap<string, { toggles: number; duty: number }>;
  /** File for the slews; none are written without. */
  slews?: string;
}

export function staScript(job: StaJob): string {
  const { liberty, netlist, top, clock, period, driver, load, activities, slews } = job;
  const lines = [
    `read_liberty ${liberty}`,
    // Without this, numbers would be in the units of the library.
    'set_cmd_units -time ns -capacitance fF',
    `read_verilog ${netlist}`,
    `link_design ${top}`,
    `create_clock -name ${clock} -period ${period} [get_ports ${clock}]`,
    `set inputs [list]`,
    `foreach port [all_inputs] { if {[get_full_name $port] ne "${clock}"} { lappend inputs $port } }`,
    `set_input_delay 0 -clock ${clock} $inputs`,
    `set_output_delay 0 -clock ${clock} [all_outputs]`,
    `set_driving_cell -lib_cell ${driver} $inputs`,
    `set_load ${load} [all_outputs]`,
    'report_checks -path_delay max -format full -digits 4',
  ];
  if (slews)
    lines.push(
      `set file [open ${slews} w]`,
      'foreach pin [get_pins -hierarchical *] {',
      '  if {[get_property $pin direction] eq "output"} {',
      '    puts $file "[get_full_name $pin] [get_property $pin actual_rise_transition_max] [get_property $pin actual_fall_transition_max]"',
      '  }',
      '}',
      'close $file',
    );
  for (const [port, { toggles, duty }] of activities ?? [])
    lines.push(`sta::set_power_input_port_activity [get_ports {${port}}] ${toggles} ${duty}`);
  if (activities) lines.push('report_power -digits 8');
  return [...lines, 'exit', ''].join('\n');
}

export interface StaResult {
  /** ns that the slowest path leaves of the clock period. */
  slack: number;
  /** W, null if it was not asked for. */
  power: { internal: number; switching: number; leakage: number } | null;
}

/** Reads what `report_checks` and `report_power` print. */
export function parseSta(text: string): StaResult {
  const slack = /^\s*(-?[\d.]+)\s+slack \((?:MET|VIOLATED)\)/m.exec(text);
  if (!slack)
    throw new UserError('synthesis', `OpenSTA found no path: ${text.trim().split('\n').slice(-3).join(' ')}`);
  const total = /^Total\s+(\S+)\s+(\S+)\s+(\S+)\s+\S+\s+100/m.exec(text);
  const power = total
    ? { internal: Number(total[1]), switching: Number(total[2]), leakage: Number(total[3]) }
    : null;
  return { slack: Number(slack[1]), power };
}
