// Bench of the PPU: stands for the PEs that start rows, add sums and finish rows, as a stimulus file says, takes what leaves,
// and prints one line per cycle.
//
// +stimulus=PATH   decimal tokens, separated by white space, in this order:
//   limit rows readyRows                       most cycles, and the counts
//   width relu keepZeros passes threshold seed
//   per row: masked [bits]                     1 and one bit per column, or 0
//            count {column value}              sums that are added to it
//   per ready row: mask                        hex: bit 0 a row may start, 1 to ADDERS an adder may add, then: a row may
//                                              be finished, and what leaves is taken; all ones after the last row
// Rows start in order. Sums of rows that have started go in order to the adders that may add, the lowest first. Rows are
// finished in order, when they have got all of their sums, at the earliest in the cycle of the last.
//
// +registers       appends ` | `, states of both buffers, claimed, finished, drained, column, LFSR, and all sums
//
// Line: cycle busy accepted out stored magnitude [row column value sum | row {sum}], before the clock edge.
//   busy      bit 0 rows are being filled or drained, 1 a row buffer is free
//   accepted  bit 0 a row starts, 1 to ADDERS an adder adds, then: a row is finished
//   out       bit 0 valid, 1 taken, 2 stored in the compressed row, 3 a row passes by
`default_nettype none

module tb_ppu;
  parameter WIDTH = 8;
  parameter ADDERS = 3;
  parameter SUM_BITS = 40;
  parameter THRESHOLD_BITS = 37;
  parameter LFSR_WIDTH = 16;
  // The polynomial without its topmost bit, which is always set.
  parameter LFSR_TAPS = 32'h1e37;
  parameter DEPTH = 1024;

  localparam C = $clog2(WIDTH < 2 ? 2 : WIDTH);
  localparam PORTS = ADDERS + 3;

  reg clk, rst;
  reg [C-1:0] last_column;
  reg relu, keep_zeros, passes, threshold_load;
  reg [THRESHOLD_BITS-1:0] threshold_value;
  reg [LFSR_WIDTH-1:0] threshold_seed;
  reg row_valid, finish, out_ready;
  wire row_ready, row_buffer, out_valid, out_stored, passed_valid, busy;
  reg [ADDERS-1:0] add_valid, add_buffer;
  reg [ADDERS*C-1:0] add_column;
  reg [ADDERS*SUM_BITS-1:0] add_value;
  wire [15:0] mask_row, out_row, passed_row;
  wire [C-1:0] mask_column, out_column;
  wire signed [SUM_BITS-1:0] out_value, out_sum;
  wire [WIDTH*SUM_BITS-1:0] passed_sums;
  wire [52:0] magnitude;
  wire [30:0] stored;

  reg live [0:DEPTH-1];
  reg [C-1:0] sum_column [0:DEPTH-1];
  reg signed [SUM_BITS-1:0] sum_value [0:DEPTH-1];
  integer sums_end [0:DEPTH-1];
  reg [PORTS-1:0] ready [0:DEPTH-1];
  reg [63:0] width;
  wire [63:0] mask_at = mask_row * width + mask_column;
  wire mask_live = mask_at >= DEPTH || live[mask_at];
  integer started;

  ppu #(
    .WIDTH(WIDTH), .ADDERS(ADDERS), .SUM_BITS(SUM_BITS), .THRESHOLD_BITS(THRESHOLD_BITS), .LFSR_WIDTH(LFSR_WIDTH),
    .LFSR_POLYNOMIAL(LFSR_TAPS | (32'd1 << (LFSR_WIDTH - 1))), .PASS_WIDTH(WIDTH)
  ) dut (
    .clk(clk), .rst(rst),
    .last_column(last_column), .relu(relu), .keep_zeros(keep_zeros), .passes(passes),
    .threshold_load(threshold_load), .threshold_value(threshold_value), .threshold_seed(threshold_seed),
    .row_valid(row_valid), .row_ready(row_ready), .row_number(started[15:0]), .row_buffer(row_buffer),
    .add_valid(add_valid), .add_buffer(add_buffer), .add_column(add_column), .add_value(add_value),
    .finish(finish),
    .mask_row(mask_row), .mask_column(mask_column), .mask_live(mask_live),
    .out_valid(out_valid), .out_ready(out_ready), .out_stored(out_stored), .out_row(out_row),
    .out_column(out_column), .out_value(out_value), .out_sum(out_sum),
    .passed_valid(passed_valid), .passed_row(passed_row), .passed_sums(passed_sums),
    .magnitude(magnitude), .stored(stored), .busy(busy)
  );

  // As 64-bit two's complement.
  wire signed [63:0] wide_value = out_value;
  wire signed [63:0] wide_sum = out_sum;
  wire signed [63:0] passed_of [0:WIDTH-1];
  wire signed [63:0] sum_of [0:2*WIDTH-1];
  genvar c;
  generate
    for (c = 0; c < WIDTH; c = c + 1) begin : widen
      wire signed [SUM_BITS-1:0] passed = passed_sums[c*SUM_BITS +: SUM_BITS];
      wire signed [SUM_BITS-1:0] sum_0 = dut.buffers.filled[c] ? dut.buffers.sums[c] : 0;
      wire signed [SUM_BITS-1:0] sum_1 = dut.buffers.filled[(1<<C)+c] ? dut.buffers.sums[(1<<C)+c] : 0;
      assign passed_of[c] = passed;
      assign sum_of[c] = sum_0;
      assign sum_of[WIDTH+c] = sum_1;
    end
  endgenerate

  reg [8*4096-1:0] path;
  integer file, found, limit, rows, ready_rows, masked, count, sums, i, j, cycle;
  integer filling, next_sum, ended;
  reg signed [63:0] column, value;
  reg [PORTS-1:0] offer;
  reg [1:0] buffer_of;
  reg flag, show_registers, stop;

  task read_stimulus;
    begin
      found = $fscanf(file, "%d %d %d", limit, rows, ready_rows);
      found = $fscanf(file, "%d %d %d %d", width, relu, keep_zeros, passes);
      found = $fscanf(file, "%d %d", threshold_value, threshold_seed);
      last_column = width - 1;
      sums = 0;
      for (i = 0; i < rows; i = i + 1) begin
        found = $fscanf(file, "%d", masked);
        for (j = 0; j < width; j = j + 1) begin
          value = 1;
          if (masked != 0) found = $fscanf(file, "%d", value);
          live[i*width+j] = value != 0;
        end
        found = $fscanf(file, "%d", count);
        for (j = 0; j < count; j = j + 1) begin
          found = $fscanf(file, "%d %d", column, value);
          sum_column[sums] = column;
          sum_value[sums] = value;
          sums = sums + 1;
        end
        sums_end[i] = sums;
      end
      for (i = 0; i < ready_rows; i = i + 1) begin
        found = $fscanf(file, "%h", offer);
        ready[i] = offer;
      end
      if (found < 1) $display("error: stimulus ends early");
    end
  endtask

  // Rows that have got all of their sums are behind.
  task skip_filled;
    while (filling < started + (row_valid && row_ready) && next_sum == sums_end[filling]) filling = filling + 1;
  endtask

  // What the PEs do in this cycle; a row that starts in it counts as started.
  task drive;
    begin
      offer = {PORTS{1'b1}};
      if (cycle < ready_rows) offer = ready[cycle];
      out_ready = offer[ADDERS+2];
      row_valid = started < rows && offer[0];
      #1;
      if (row_valid && row_ready) buffer_of[started & 1] = row_buffer;
      add_valid = 0;
      for (i = 0; i < ADDERS; i = i + 1) begin
        skip_filled;
        if (offer[i+1] && filling < started + (row_valid && row_ready)) begin
          add_valid[i] = 1;
          add_buffer[i] = buffer_of[filling & 1];
          add_column[i*C +: C] = sum_column[next_sum];
          add_value[i*SUM_BITS +: SUM_BITS] = sum_value[next_sum];
          next_sum = next_sum + 1;
        end
      end
      skip_filled;
      finish = offer[ADDERS+1] && ended < filling;
    end
  endtask

  task print_line;
    begin
      $write("%0d %0h %0h", cycle, {row_ready, busy}, {finish, add_valid, row_valid & row_ready});
      $write(" %0h", {passed_valid, out_valid & out_stored, out_valid & out_ready, out_valid});
      $write(" %0h %0h", stored, magnitude);
      if (out_valid && out_ready) $write(" %0h %0h %0h %0h", out_row, out_column, wide_value, wide_sum);
      if (passed_valid) begin
        $write(" %0h", passed_row);
        for (i = 0; i < width; i = i + 1) $write(" %0h", passed_of[i]);
      end
      if (show_registers) begin
        $write(" | %0h %0h %0h %0h", dut.state_0, dut.state_1, dut.claimed, dut.finished);
        $write(" %0h %0h %0h", dut.drained, dut.column, dut.draws.state);
        for (i = 0; i < width; i = i + 1) $write(" %0h", sum_of[i]);
        for (i = 0; i < width; i = i + 1) $write(" %0h", sum_of[WIDTH+i]);
      end
      $write("\n");
    end
  endtask

  initial begin
    clk = 0;
    rst = 1;
    threshold_load = 0;
    row_valid = 0;
    add_valid = 0;
    add_buffer = 0;
    add_column = 0;
    add_value = 0;
    finish = 0;
    out_ready = 0;
    started = 0;
    ended = 0;
    filling = 0;
    next_sum = 0;
    file = 0;
    show_registers = $test$plusargs("registers") != 0;
    if ($value$plusargs("stimulus=%s", path) != 0) file = $fopen(path, "r");
    if (file == 0) begin
      $display("error: +stimulus=PATH is missing or cannot be read");
      $finish;
    end else begin
      read_stimulus;
      repeat (2) begin
        #5 clk = 1;
        #5 clk = 0;
      end
      rst = 0;
      threshold_load = 1;
      #5 clk = 1;
      #5 clk = 0;
      threshold_load = 0;
      stop = 0;
      cycle = 0;
      while (!stop) begin
        drive;
        #3 print_line;
        flag = row_valid & row_ready;
        #1 clk = 1;
        #1;
        started = started + flag;
        ended = ended + finish;
        row_valid = 0;
        cycle = cycle + 1;
        stop = ended == rows && !busy && !out_valid;
        if (!stop && cycle == limit) begin
          $display("error: cycle limit");
          stop = 1;
        end
        #4 clk = 0;
      end
      $fclose(file);
      $finish;
    end
  end
endmodule

`default_nettype wire
