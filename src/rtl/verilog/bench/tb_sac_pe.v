// Bench of sac_pe: offers words and windows and takes outputs as a stimulus file says, and prints one line per cycle,
// sampled before the clock edge:
//
//   cycle acceptedWords acceptedWindows outValid outFired [value ...]
//
// The cycle is decimal, all else hex; masks have the lowest stream in bit 0; a value, in 64-bit two's complement, for each
// output that leaves. With +registers the line goes on with ` | ` and the registers of unit 0 and of all windows:
// segments, flushed, pending, throttle counts, window counts, leads of unit 0.
//
// Stimulus (+stimulus=PATH), tokens: cycle limit, outputs that will leave (decimal), unit mask, lane mask (hex); for each
// stream, unit by unit, the number of its words (decimal) and the words (hex); for each lane the same of its windows,
// activation 0 lowest; the number of ready rows (decimal) and the rows (hex: streams, lanes, outputs from bit 0 up). After
// the last row all ports are ready.
//
// +control=PATH: for each cycle the units that are held and those that are active (hex), after the number of cycles
// (decimal); afterwards they stay. Compiled with WAVE, +vcd=PATH with +from=A: registers and ports of the PE from cycle A
// on; cycle c begins at 10 c + 10, and the clock rises at 10 c + 15.
`default_nettype none

module tb_sac_pe;
  parameter UNITS = 2;
  parameter LANES = 2;
  parameter MAGNITUDE_BITS = 7;
  parameter ACTIVATION_BITS = 7;
  parameter KNEADING_STRIDE = 4;
  parameter WINDOW_SLOTS = 2;
  parameter THROTTLE_WORDS = 4;
  parameter BARRIER = 0;
  parameter WINDOW_LOAD_CYCLES = 1;
  parameter SEGMENT_BITS = 32;
  // Words, windows and rows that the bench can hold.
  parameter DEPTH = 65536;

  localparam STREAMS = UNITS * LANES;
  localparam SUM_BITS = SEGMENT_BITS + MAGNITUDE_BITS > 64 ? 64 : SEGMENT_BITS + MAGNITUDE_BITS;
  localparam POINTER_BITS = KNEADING_STRIDE > 1 ? $clog2(KNEADING_STRIDE) : 1;
  localparam WORD_BITS = 2 + MAGNITUDE_BITS * (2 + POINTER_BITS);
  localparam WINDOW_BITS = KNEADING_STRIDE * (ACTIVATION_BITS + 1);
  localparam PORTS = STREAMS + LANES + UNITS;

  reg clk = 1'b0;
  reg rst = 1'b1;
  reg [UNITS-1:0] unit_active;
  reg [UNITS-1:0] unit_hold = 0;
  reg [LANES-1:0] lane_active;
  reg [STREAMS-1:0] word_valid = 0;
  wire [STREAMS-1:0] word_ready;
  reg [STREAMS*WORD_BITS-1:0] word_data;
  reg [LANES-1:0] window_valid = 0;
  wire [LANES-1:0] window_ready;
  reg [LANES*WINDOW_BITS-1:0] window_data;
  wire [UNITS-1:0] out_valid;
  reg [UNITS-1:0] out_ready = 0;
  wire [UNITS*SUM_BITS-1:0] out_value;

  sac_pe #(
      .UNITS             (UNITS),
      .LANES             (LANES),
      .MAGNITUDE_BITS    (MAGNITUDE_BITS),
      .ACTIVATION_BITS   (ACTIVATION_BITS),
      .KNEADING_STRIDE   (KNEADING_STRIDE),
      .WINDOW_SLOTS      (WINDOW_SLOTS),
      .THROTTLE_WORDS    (THROTTLE_WORDS),
      .BARRIER           (BARRIER),
      .WINDOW_LOAD_CYCLES(WINDOW_LOAD_CYCLES),
      .SEGMENT_BITS      (SEGMENT_BITS),
      .SUM_BITS          (SUM_BITS)
  ) pe (
      .clk         (clk),
      .rst         (rst),
      .unit_active (unit_active),
      .unit_hold   (unit_hold),
      .lane_active (lane_active),
      .word_valid  (word_valid),
      .word_ready  (word_ready),
      .word_data   (word_data),
      .window_valid(window_valid),
      .window_ready(window_ready),
      .window_data (window_data),
      .out_valid   (out_valid),
      .out_ready   (out_ready),
      .out_value   (out_value)
  );

  // Words and windows of all streams, one after the other: the next of stream i is at next[i], the end at last[i].
  reg [WORD_BITS-1:0] words[0:DEPTH-1];
  reg [WINDOW_BITS-1:0] windows[0:DEPTH-1];
  reg [PORTS-1:0] rows[0:DEPTH-1];
  reg [UNITS-1:0] holds[0:DEPTH-1];
  reg [UNITS-1:0] actives[0:DEPTH-1];
  integer next_word[0:STREAMS-1];
  integer last_word[0:STREAMS-1];
  integer next_window[0:LANES-1];
  integer last_window[0:LANES-1];
  // The ports of the next cycle, put together where nobody listens: a simulator follows every change of a wide bus.
  reg [STREAMS*WORD_BITS-1:0] word_next;
  reg [LANES*WINDOW_BITS-1:0] window_next;
  wire [63:0] value[0:UNITS-1];
  wire [63:0] segment[0:MAGNITUDE_BITS-1];
  wire [31:0] throttle_count[0:LANES-1];
  wire [31:0] window_count[0:LANES-1];
  wire [31:0] lead[0:LANES-1];

  genvar g;
  generate
    for (g = 0; g < LANES; g = g + 1) begin : lane_view
      assign window_count[g] = {{(32 - $clog2(WINDOW_SLOTS + 1)) {1'b0}}, pe.lane[g].windows.window_count};
      assign lead[g] = {{(32 - $clog2(WINDOW_SLOTS + 1)) {1'b0}}, pe.unit[0].stream[g].reader.lead};
      if (THROTTLE_WORDS == 0) begin : wired
        assign throttle_count[g] = 32'd0;
      end else begin : queued
        assign throttle_count[g] = {
          {(32 - $clog2(THROTTLE_WORDS + 1)) {1'b0}}, pe.unit[0].stream[g].throttle.queue.throttle_count
        };
      end
    end
    for (g = 0; g < UNITS; g = g + 1) begin : out_port
      wire [SUM_BITS-1:0] own = out_value[(g+1)*SUM_BITS-1:g*SUM_BITS];
      if (SUM_BITS < 64) begin : extended
        assign value[g] = {{(64 - SUM_BITS) {own[SUM_BITS-1]}}, own};
      end else begin : whole
        assign value[g] = own;
      end
    end
    for (g = 0; g < MAGNITUDE_BITS; g = g + 1) begin : segment_view
      wire [SEGMENT_BITS-1:0] own = pe.unit[0].sac.column[g].segment;
      assign segment[g] = {{(64 - SEGMENT_BITS) {own[SEGMENT_BITS-1]}}, own};
    end
  endgenerate

  reg [8*1024-1:0] path;
  integer file, scanned, i, j, count, at, limit, left, row_count, control_count, cycle;
  reg [PORTS-1:0] ready;
  reg [STREAMS-1:0] words_left;
  reg [LANES-1:0] windows_left;
  reg [STREAMS-1:0] word_fired;
  reg [LANES-1:0] window_fired;
  reg [UNITS-1:0] out_fired;
  reg with_registers;

`ifdef WAVE
  // Each register and port by name: a dump of everything would be some hundred times larger.
  integer from;
  event dump;
  always @(dump) $dumpvars(0, pe.out_valid, pe.out_value);
  genvar l, b, k;
  generate
    for (l = 0; l < LANES; l = l + 1) begin : dump_lane
      always @(dump)
        $dumpvars(0, pe.lane[l].windows.window_count, pe.lane[l].windows.window_head, pe.lane[l].windows.load_timer);
      for (k = 0; k < WINDOW_SLOTS; k = k + 1) begin : dump_slot
        always @(dump) $dumpvars(0, pe.lane[l].windows.slot[k].activations);
      end
    end
    for (g = 0; g < UNITS; g = g + 1) begin : dump_unit
      always @(dump) begin
        $dumpvars(0, pe.unit[g].sac.pending, pe.unit[g].sac.flushed);
        $dumpvars(0, pe.unit[g].head, pe.unit[g].head_valid, pe.unit[g].accept);
      end
      for (l = 0; l < LANES; l = l + 1) begin : dump_stream
        always @(dump) $dumpvars(0, pe.unit[g].stream[l].reader.lead, pe.unit[g].stream[l].reader.read_slot);
        if (THROTTLE_WORDS > 0) begin : dump_throttle
          always @(dump) $dumpvars(0, pe.unit[g].stream[l].throttle.queue.throttle_count);
        end
      end
      for (b = 0; b < MAGNITUDE_BITS; b = b + 1) begin : dump_column
        always @(dump) $dumpvars(0, pe.unit[g].sac.column[b].segment);
      end
      for (k = 0; k < (MAGNITUDE_BITS > 1 ? $clog2(MAGNITUDE_BITS) : 1); k = k + 1) begin : dump_stage
        always @(dump) $dumpvars(0, pe.unit[g].sac.tree.stage[k].tree_valid);
        for (b = 0; b < (((MAGNITUDE_BITS + (1 << k) - 1) >> k) + 1) / 2; b = b + 1) begin : dump_node
          always @(dump) $dumpvars(0, pe.unit[g].sac.tree.stage[k].node[b].tree_sum);
        end
      end
    end
  endgenerate
`endif

  task read_stimulus;
    begin
      scanned = $fscanf(file, "%d %d %h %h", limit, left, unit_active, lane_active);
      at = 0;
      for (i = 0; i < STREAMS; i = i + 1) begin
        scanned = $fscanf(file, "%d", count);
        next_word[i] = at;
        for (j = 0; j < count; j = j + 1) begin
          scanned = $fscanf(file, "%h", words[at]);
          at = at + 1;
        end
        last_word[i] = at;
        word_next[i*WORD_BITS+:WORD_BITS] = words[next_word[i]];
      end
      at = 0;
      for (i = 0; i < LANES; i = i + 1) begin
        scanned = $fscanf(file, "%d", count);
        next_window[i] = at;
        for (j = 0; j < count; j = j + 1) begin
          scanned = $fscanf(file, "%h", windows[at]);
          at = at + 1;
        end
        last_window[i] = at;
        window_next[i*WINDOW_BITS+:WINDOW_BITS] = windows[next_window[i]];
      end
      scanned = $fscanf(file, "%d", row_count);
      for (i = 0; i < row_count; i = i + 1) scanned = $fscanf(file, "%h", rows[i]);
    end
  endtask

  task print_registers;
    begin
      $write(" |");
      for (i = 0; i < MAGNITUDE_BITS; i = i + 1) $write(" %0h", segment[i]);
      $write(" %0h %0h", pe.unit[0].sac.flushed, pe.unit[0].sac.pending);
      for (i = 0; i < LANES; i = i + 1) $write(" %0h %0h %0h", throttle_count[i], window_count[i], lead[i]);
    end
  endtask

  initial begin
    with_registers = $test$plusargs("registers") != 0;
    if ($value$plusargs("stimulus=%s", path) == 0) begin
      $display("error: no +stimulus=PATH");
      $finish;
    end
    file = $fopen(path, "r");
    if (file == 0) begin
      $display("error: cannot open the stimulus");
      $finish;
    end
    read_stimulus;
    $fclose(file);
    control_count = 0;
    if ($value$plusargs("control=%s", path) != 0) begin
      file = $fopen(path, "r");
      scanned = $fscanf(file, "%d", control_count);
      for (i = 0; i < control_count; i = i + 1) scanned = $fscanf(file, "%h %h", holds[i], actives[i]);
      $fclose(file);
    end
`ifdef WAVE
    if ($value$plusargs("from=%d", from) == 0) from = 0;
    if ($value$plusargs("vcd=%s", path) != 0) begin
      $dumpfile(path);
      ->dump;
      #0 if (from > 0) $dumpoff;
    end
`endif
    #5 clk = 1'b1;
    #5 clk = 1'b0;
    rst = 1'b0;
    for (cycle = 0; left > 0 && cycle < limit; cycle = cycle + 1) begin
`ifdef WAVE
      if (cycle == from && cycle > 0) $dumpon;
`endif
      if (cycle < control_count) begin
        unit_hold   = holds[cycle];
        unit_active = actives[cycle];
      end
      word_data = word_next;
      window_data = window_next;
      ready = cycle < row_count ? rows[cycle] : {PORTS{1'b1}};
      for (i = 0; i < STREAMS; i = i + 1) words_left[i] = next_word[i] != last_word[i];
      for (i = 0; i < LANES; i = i + 1) windows_left[i] = next_window[i] != last_window[i];
      // Ports are set whole: Verilator 5.006 does not follow single bits that an initial block sets.
      word_valid = ready[STREAMS-1:0] & words_left;
      window_valid = ready[STREAMS+LANES-1:STREAMS] & windows_left;
      out_ready = ready[PORTS-1:STREAMS+LANES];
      // Everything combinational has settled when it is sampled.
      #5 word_fired = word_valid & word_ready;
      window_fired = window_valid & window_ready;
      out_fired = out_valid & out_ready;
      $write("%0d %0h %0h %0h %0h", cycle, word_fired, window_fired, out_valid, out_fired);
      for (i = 0; i < UNITS; i = i + 1)
        if (out_fired[i]) begin
          $write(" %0h", value[i]);
          left = left - 1;
        end
      if (with_registers) print_registers;
      $write("\n");
      clk = 1'b1;
      #1;
      for (i = 0; i < STREAMS; i = i + 1)
        if (word_fired[i]) begin
          next_word[i] = next_word[i] + 1;
          word_next[i*WORD_BITS+:WORD_BITS] = words[next_word[i]];
        end
      for (i = 0; i < LANES; i = i + 1)
        if (window_fired[i]) begin
          next_window[i] = next_window[i] + 1;
          window_next[i*WINDOW_BITS+:WINDOW_BITS] = windows[next_window[i]];
        end
      #4 clk = 1'b0;
    end
    if (left > 0) $display("error: cycle limit");
    $finish;
  end
endmodule

`default_nettype wire
