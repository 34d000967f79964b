// Bench of the dense MAC PE: offers bricks and takes outputs as a stimulus file says, and prints one line per cycle.
//
// +stimulus=PATH   tokens in hex, separated by white space, in this order:
//   ready rows, bricks, outputs, cycle limit    the counts
//   per ready row: brick output                 1 where the bench offers a brick and takes an output in that cycle;
//                                               all ones after the last row
//   per brick: last, weights, activations       marks and two's complement codes; weights unit-major
// +registers       appends ` | ` and, of unit 0, its products, its sum and its accumulator. A register that has not
//                  been loaded since reset shows 0, since products and sums have no reset.
//
// Line: cycle acceptedBrick outValid outFired [value per unit, of outputs that leave], before the clock edge.
`default_nettype none

module tb_mac_pe;
  parameter UNITS = 1;
  parameter LANES = 1;
  parameter MAGNITUDE_BITS = 7;
  parameter ACTIVATION_BITS = 7;
  parameter TERM_BITS = 22;

  localparam WEIGHT_BITS = MAGNITUDE_BITS + 1;
  localparam VALUE_BITS = ACTIVATION_BITS + 1;
  localparam PRODUCT_BITS = MAGNITUDE_BITS + ACTIVATION_BITS + 1;
  localparam SUM_BITS = PRODUCT_BITS + $clog2(LANES);
  localparam ACCUMULATOR_BITS = PRODUCT_BITS + TERM_BITS;

  reg clk;
  reg rst;
  reg brick_valid;
  wire brick_ready;
  reg [UNITS*LANES*WEIGHT_BITS-1:0] brick_weights;
  reg [LANES*VALUE_BITS-1:0] brick_activations;
  reg brick_last;
  wire out_valid;
  reg out_ready;
  wire [UNITS*ACCUMULATOR_BITS-1:0] out_values;

  mac_pe #(
    .UNITS(UNITS),
    .LANES(LANES),
    .MAGNITUDE_BITS(MAGNITUDE_BITS),
    .ACTIVATION_BITS(ACTIVATION_BITS),
    .TERM_BITS(TERM_BITS)
  ) dut (
    .clk(clk),
    .rst(rst),
    .brick_valid(brick_valid),
    .brick_ready(brick_ready),
    .brick_weights(brick_weights),
    .brick_activations(brick_activations),
    .brick_last(brick_last),
    .out_valid(out_valid),
    .out_ready(out_ready),
    .out_values(out_values)
  );

  // Outputs and registers as 64-bit two's complement.
  wire signed [63:0] value [0:UNITS-1];
  wire signed [63:0] product [0:LANES-1];
  wire signed [63:0] sum = {{(64-SUM_BITS){dut.unit[0].sum[SUM_BITS-1]}}, dut.unit[0].sum};
  wire signed [63:0] accumulator = {{(64-ACCUMULATOR_BITS){dut.unit[0].accumulator[ACCUMULATOR_BITS-1]}}, dut.unit[0].accumulator};
  genvar g;
  generate
    for (g = 0; g < UNITS; g = g + 1) begin : widen
      wire signed [ACCUMULATOR_BITS-1:0] narrow = out_values[g*ACCUMULATOR_BITS +: ACCUMULATOR_BITS];
      assign value[g] = {{(64-ACCUMULATOR_BITS){narrow[ACCUMULATOR_BITS-1]}}, narrow};
    end
    for (g = 0; g < LANES; g = g + 1) begin : lane_product
      assign product[g] = {{(64-PRODUCT_BITS){dut.unit[0].lane[g].product[PRODUCT_BITS-1]}}, dut.unit[0].lane[g].product};
    end
  endgenerate

  reg [8*4096-1:0] path;
  integer rows_file, bricks_file, found, i;
  integer rows, bricks, outputs, limit;
  integer row, next_brick, cycle, left;
  reg show_registers, product_loaded, sum_loaded;
  reg offer, take, held;
  reg [63:0] token;
  wire accepted = brick_valid && brick_ready;
  wire fired = out_valid && out_ready;

  // Reads the counts; the rows follow.
  task read_counts(input integer file);
    begin
      found = $fscanf(file, "%h %h %h %h", rows, bricks, outputs, limit);
      if (found != 4) $display("error: stimulus without counts");
    end
  endtask

  task read_brick;
    begin
      found = $fscanf(bricks_file, "%h", token);
      brick_last = token[0];
      for (i = 0; i < UNITS * LANES; i = i + 1) begin
        found = $fscanf(bricks_file, "%h", token);
        brick_weights[i*WEIGHT_BITS +: WEIGHT_BITS] = token[WEIGHT_BITS-1:0];
      end
      for (i = 0; i < LANES; i = i + 1) begin
        found = $fscanf(bricks_file, "%h", token);
        brick_activations[i*VALUE_BITS +: VALUE_BITS] = token[VALUE_BITS-1:0];
      end
      next_brick = next_brick + 1;
    end
  endtask

  // What the bench does in the coming cycle.
  task drive;
    begin
      offer = 1'b1;
      take = 1'b1;
      if (row < rows) begin
        found = $fscanf(rows_file, "%h %h", offer, take);
        row = row + 1;
      end
      if (!held && next_brick < bricks) begin
        read_brick;
        held = 1'b1;
      end
      brick_valid = held && offer;
      out_ready = take;
    end
  endtask

  always begin
    #5 clk = 1'b1;
    #5 clk = 1'b0;
  end

  initial begin
    clk = 1'b0;
    rst = 1'b1;
    brick_valid = 1'b0;
    brick_last = 1'b0;
    brick_weights = {UNITS*LANES*WEIGHT_BITS{1'b0}};
    brick_activations = {LANES*VALUE_BITS{1'b0}};
    out_ready = 1'b0;
    row = 0;
    next_brick = 0;
    held = 1'b0;
    product_loaded = 1'b0;
    sum_loaded = 1'b0;
    show_registers = $test$plusargs("registers") != 0;
    if ($value$plusargs("stimulus=%s", path) == 0) begin
      $display("error: +stimulus=PATH is missing");
      $finish;
    end
    rows_file = $fopen(path, "r");
    bricks_file = $fopen(path, "r");
    if (rows_file == 0 || bricks_file == 0) begin
      $display("error: the stimulus cannot be opened");
      $finish;
    end
    read_counts(rows_file);
    read_counts(bricks_file);
    for (i = 0; i < 2 * rows; i = i + 1) found = $fscanf(bricks_file, "%h", token);
    left = outputs;

    repeat (2) @(negedge clk);
    rst = 1'b0;
    for (cycle = 0; left > 0 && cycle < limit; cycle = cycle + 1) begin
      // Just after the falling edge: drive, let it settle, and look before the rising edge.
      drive;
      #4;
      $write("%0d %h %h %h", cycle, accepted, out_valid, fired);
      if (fired) for (i = 0; i < UNITS; i = i + 1) $write(" %0h", value[i]);
      if (show_registers) begin
        $write(" |");
        for (i = 0; i < LANES; i = i + 1) $write(" %0h", product_loaded ? product[i] : 64'd0);
        $write(" %0h %0h", sum_loaded ? sum : 64'd0, accumulator);
      end
      $write("\n");
      if (fired) left = left - 1;
      if ((!out_valid || out_ready) && product_loaded) sum_loaded = 1'b1;
      if (accepted) begin
        held = 1'b0;
        product_loaded = 1'b1;
      end
      @(negedge clk);
    end
    if (left > 0) $display("error: cycle limit");
    $fclose(rows_file);
    $fclose(bricks_file);
    $finish;
  end

endmodule

`default_nettype wire
