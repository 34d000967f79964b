// Bench of the row PE: holds the feeder, offers operations, operands and gradients as a stimulus file says, and prints one
// line per cycle.
//
// +stimulus=PATH   decimal tokens, separated by white space, in this order:
//   limit operations rows                      most cycles, and the counts
//   per operation:
//     kind taps stride dilation padLeft inputWidth outputWidth      kind 0 SRC, 1 MSRC, 2 OSRC
//     weights                                  SRC and MSRC, one per tap
//     masked [bits]                            MSRC: 1 and one bit per input column, or 0
//     count {column value}                     the streamed row
//     count {column value}                     OSRC: the row of gradients
//   per ready row: mask                        one hex digit: bit 0 operation, 1 operand, 2 gradient: whether the bench
//                                              offers one in that cycle; all ones after the last row
// +registers       appends ` | `, touched (mask), newest, newest_slot, accumulators, window_head, window_count and, oldest
//                  first, position and value of every gradient held
//
// Line: cycle busy accepted retired [column value], before the clock edge. busy: bit 0 an operation runs, 1 the last row
// leaves. accepted: bit 0 operation, 1 operand or end of row, 2 gradient or end of row. Retired sums from left to right.
`default_nettype none

module tb_row_pe;
  parameter TAPS = 3;
  parameter SPAN = 3;
  parameter PORTS = 2;
  parameter MAGNITUDE_BITS = 15;
  parameter ACCUMULATOR_BITS = 40;
  parameter COLUMN_BITS = 12;
  parameter DEPTH = 1024;

  localparam S = $clog2(SPAN + 2);
  localparam CODE_BITS = MAGNITUDE_BITS + 1;
  localparam SLOTS = SPAN + 1;

  reg clk, rst;
  reg operation_valid, operand_valid, gradient_valid;
  wire operation_ready, operand_ready, gradient_ready;
  wire busy, draining;
  wire [SPAN-1:0] retired_valid;
  wire [SPAN*COLUMN_BITS-1:0] retired_column;
  wire [SPAN*ACCUMULATOR_BITS-1:0] retired_sum;

  // What the ports are offered, one entry after the other.
  reg op_gathers [0:DEPTH-1];
  reg [S-1:0] op_window [0:DEPTH-1];
  reg [S-1:0] op_reach [0:DEPTH-1];
  reg [S-1:0] op_slots [0:DEPTH-1];
  reg [TAPS*S-1:0] op_place [0:DEPTH-1];
  reg [TAPS*CODE_BITS-1:0] op_weight [0:DEPTH-1];
  reg signed [CODE_BITS-1:0] x_value [0:DEPTH-1];
  reg signed [COLUMN_BITS-1:0] x_at [0:DEPTH-1];
  reg [TAPS-1:0] x_taps [0:DEPTH-1];
  reg x_last [0:DEPTH-1];
  reg x_null [0:DEPTH-1];
  reg signed [CODE_BITS-1:0] g_value [0:DEPTH-1];
  reg signed [COLUMN_BITS-1:0] g_at [0:DEPTH-1];
  reg g_null [0:DEPTH-1];
  reg live [0:DEPTH-1];
  reg [2:0] ready [0:DEPTH-1];
  integer op, x, g;
  wire [31:0] op_port = op < DEPTH ? op : 0;
  wire [31:0] x_port = x < DEPTH ? x : 0;
  wire [31:0] g_port = g < DEPTH ? g : 0;

  row_pe #(
    .TAPS(TAPS), .SPAN(SPAN), .PORTS(PORTS), .MAGNITUDE_BITS(MAGNITUDE_BITS), .ACCUMULATOR_BITS(ACCUMULATOR_BITS),
    .COLUMN_BITS(COLUMN_BITS)
  ) dut (
    .clk(clk), .rst(rst),
    .operation_valid(operation_valid), .operation_ready(operation_ready),
    .operation_gathers(op_gathers[op_port]), .operation_window(op_window[op_port]),
    .operation_place(op_place[op_port]), .operation_reach(op_reach[op_port]), .operation_slots(op_slots[op_port]),
    .operation_weight(op_weight[op_port]),
    .operand_valid(operand_valid), .operand_ready(operand_ready), .operand_value(x_value[x_port]),
    .operand_at(x_at[x_port]), .operand_taps(x_taps[x_port]), .operand_last(x_last[x_port]),
    .operand_null(x_null[x_port]),
    .gradient_valid(gradient_valid), .gradient_ready(gradient_ready), .gradient_value(g_value[g_port]),
    .gradient_at(g_at[g_port]), .gradient_null(g_null[g_port]),
    .retired_valid(retired_valid), .retired_column(retired_column), .retired_sum(retired_sum),
    .busy(busy), .draining(draining)
  );

  // Lanes of the retirement port and registers, as 64-bit two's complement.
  wire signed [63:0] column_of [0:SPAN-1];
  wire signed [63:0] sum_of [0:SPAN-1];
  wire signed [63:0] accumulator_of [0:SPAN-1];
  wire [SPAN-1:0] touched;
  wire signed [63:0] position_of [0:SLOTS-1];
  wire signed [63:0] gradient_of [0:SLOTS-1];
  genvar s;
  generate
    for (s = 0; s < SPAN; s = s + 1) begin : lane
      wire signed [COLUMN_BITS-1:0] column = retired_column[s*COLUMN_BITS +: COLUMN_BITS];
      wire signed [ACCUMULATOR_BITS-1:0] sum = retired_sum[s*ACCUMULATOR_BITS +: ACCUMULATOR_BITS];
      assign column_of[s] = column;
      assign sum_of[s] = sum;
      assign accumulator_of[s] = dut.accumulators.slot[s].accumulator;
      assign touched[s] = dut.accumulators.slot[s].touched;
    end
    for (s = 0; s < SLOTS; s = s + 1) begin : held
      assign position_of[s] = dut.gradients.slot[s].gradient_at;
      assign gradient_of[s] = dut.gradients.slot[s].gradient_value;
    end
  endgenerate
  wire signed [63:0] newest = dut.accumulators.newest;

  reg [8*4096-1:0] path;
  integer file, found, limit, operations, rows, operands, gradients;
  integer kind, taps, stride, dilation, pad, input_width, output_width, masked, count, column, value, reach;
  integer i, j, k, t, target, cycle, slot, least;
  reg [TAPS-1:0] enables;
  reg [TAPS*S-1:0] places;
  reg [TAPS*CODE_BITS-1:0] weights;
  reg [2:0] offer;
  reg show_registers, stop, anything;

  // Sets the PE for operation i: where each tap adds (SRC, MSRC) or meets a gradient (OSRC), and how wide its window is.
  task set_operation;
    begin
      reach = (taps - 1) * dilation;
      op_gathers[i] = kind == 2;
      op_window[i] = kind == 0 ? (reach + stride) / stride : kind == 1 ? reach + 1 : taps;
      op_reach[i] = reach;
      op_slots[i] = (reach + stride) / stride + 1;
      places = 0;
      for (k = taps - 1; k >= 0; k = k - 1) begin
        target = kind == 0 ? k * dilation / stride : kind == 1 ? reach - k * dilation : k * dilation;
        places = (places << S) | target;
      end
      op_place[i] = places;
    end
  endtask

  task put_operand(input integer at, input last, input none);
    begin
      x_value[operands] = none ? 0 : value;
      x_at[operands] = at;
      x_taps[operands] = enables;
      x_last[operands] = last;
      x_null[operands] = none;
      operands = operands + 1;
    end
  endtask

  // The feeder of SRC and MSRC: an operand is offered with the taps whose target lies in the row (and is not masked),
  // and with the newest column that it may reach; without any it is dropped. The last that is left ends the row.
  task feed_row;
    begin
      anything = 0;
      found = $fscanf(file, "%d", count);
      for (j = 0; j < count; j = j + 1) begin
        found = $fscanf(file, "%d %d", column, value);
        enables = 0;
        for (k = 0; k < taps; k = k + 1)
          if (kind == 0) begin
            t = column + pad - k * dilation;
            if (t >= 0 && t % stride == 0 && t / stride < output_width) enables = enables | (1 << k);
          end else begin
            t = column * stride - pad + k * dilation;
            if (t >= 0 && t < input_width && (masked == 0 || live[t])) enables = enables | (1 << k);
          end
        if (enables != 0) begin
          put_operand(kind == 0 ? (column + pad) / stride : column * stride - pad + reach, 0, 0);
          anything = 1;
        end
      end
      enables = 0;
      if (anything) x_last[operands-1] = 1;
      else put_operand(0, 1, 1);
    end
  endtask

  task feed_osrc;
    begin
      found = $fscanf(file, "%d", count);
      enables = (1 << taps) - 1;
      for (j = 0; j < count; j = j + 1) begin
        found = $fscanf(file, "%d %d", column, value);
        put_operand(column + pad, 0, 0);
      end
      put_operand(0, 1, 1);
      found = $fscanf(file, "%d", count);
      for (j = 0; j <= count; j = j + 1) begin
        column = 0;
        value = 0;
        if (j < count) found = $fscanf(file, "%d %d", column, value);
        g_at[gradients] = column * stride;
        g_value[gradients] = value;
        g_null[gradients] = j == count;
        gradients = gradients + 1;
      end
    end
  endtask

  task read_operation;
    begin
      found = $fscanf(file, "%d %d %d %d %d %d %d", kind, taps, stride, dilation, pad, input_width, output_width);
      set_operation;
      weights = 0;
      if (kind != 2)
        for (k = 0; k < taps; k = k + 1) begin
          found = $fscanf(file, "%d", value);
          weights[k*CODE_BITS +: CODE_BITS] = value;
        end
      op_weight[i] = weights;
      masked = 0;
      if (kind == 1) found = $fscanf(file, "%d", masked);
      if (masked != 0)
        for (j = 0; j < input_width; j = j + 1) begin
          found = $fscanf(file, "%d", value);
          live[j] = value != 0;
        end
      if (kind == 2) feed_osrc;
      else feed_row;
    end
  endtask

  // Retired sums from left to right: a lane is a slot of a ring, so columns are looked for one by one.
  task print_line;
    begin
      $write("%0d %0h %0h", cycle, {draining, busy},
        {gradient_valid & gradient_ready, operand_valid & operand_ready, operation_valid & operation_ready});
      count = 0;
      for (j = 0; j < SPAN; j = j + 1) count = count + retired_valid[j];
      $write(" %0h", count);
      least = -1;
      for (i = 0; i < count; i = i + 1) begin
        slot = -1;
        for (j = 0; j < SPAN; j = j + 1)
          if (retired_valid[j] && column_of[j] > least && (slot < 0 || column_of[j] < column_of[slot])) slot = j;
        if (slot >= 0) begin
          least = column_of[slot];
          $write(" %0h %0h", column_of[slot], sum_of[slot]);
        end
      end
      if (show_registers) begin
        $write(" | %0h %0h %0h", touched, newest, dut.accumulators.newest_slot);
        for (j = 0; j < SPAN; j = j + 1) $write(" %0h", accumulator_of[j]);
        $write(" %0h %0h", dut.gradients.window_head, dut.gradients.window_count);
        for (j = 0; j < dut.gradients.window_count; j = j + 1) begin
          slot = (dut.gradients.window_head + j) % SLOTS;
          $write(" %0h %0h", position_of[slot], gradient_of[slot]);
        end
      end
      $write("\n");
    end
  endtask

  initial begin
    clk = 0;
    rst = 1;
    operation_valid = 0;
    operand_valid = 0;
    gradient_valid = 0;
    op = 0;
    x = 0;
    g = 0;
    operands = 0;
    gradients = 0;
    file = 0;
    show_registers = $test$plusargs("registers") != 0;
    if ($value$plusargs("stimulus=%s", path) != 0) file = $fopen(path, "r");
    if (file == 0) begin
      $display("error: +stimulus=PATH is missing or cannot be read");
      $finish;
    end else begin
      found = $fscanf(file, "%d %d %d", limit, operations, rows);
      for (i = 0; i < operations; i = i + 1) read_operation;
      for (i = 0; i < rows; i = i + 1) begin
        found = $fscanf(file, "%h", offer);
        ready[i] = offer;
      end
      if (found < 1) $display("error: stimulus ends early");
      repeat (2) begin
        #5 clk = 1;
        #5 clk = 0;
      end
      rst = 0;
      stop = 0;
      cycle = 0;
      while (!stop) begin
        offer = 3'b111;
        if (cycle < rows) offer = ready[cycle];
        operation_valid = op < operations && offer[0];
        operand_valid = x < operands && offer[1];
        gradient_valid = g < gradients && offer[2];
        #4 print_line;
        i = {gradient_valid & gradient_ready, operand_valid & operand_ready, operation_valid & operation_ready};
        #1 clk = 1;
        #1;
        if (i & 1) op = op + 1;
        if (i & 2) x = x + 1;
        if (i & 4) g = g + 1;
        cycle = cycle + 1;
        stop = op == operations && !busy && !draining;
        if (!stop && cycle == limit) begin
          $display("error: cycle limit");
          stop = 1;
        end
        #3 clk = 0;
      end
      $fclose(file);
      $finish;
    end
  end
endmodule

`default_nettype wire
