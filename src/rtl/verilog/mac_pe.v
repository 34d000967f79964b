// The dense MAC PE of DaDianNao (SPEC section 4): in each cycle UNITS units multiply the same LANES activations by
// LANES weights of their own. Three registered stages: products, sum over the lanes, accumulators.
//
// Parameters
//   UNITS            units (filters)
//   LANES            lanes of a unit
//   MAGNITUDE_BITS   bits of a weight's magnitude: 7 for int8, 15 for int16
//   ACTIVATION_BITS  bits of an activation's magnitude
//   TERM_BITS        log2 of the most products that an output sums: what the accumulators are wider than a product
//
// Ports, lowest stream in the low bits; weights and activations are two's complement of one bit more than their
// magnitude
//   brick_*   one brick per cycle: a weight per unit and lane (unit-major), an activation per lane, and whether the
//             brick is the last of its outputs
//   out_*     the finished sums, one per unit
//
// Timing: all stages move together, unless a finished output waits: enable = !out_valid || out_ready. A last brick
// that is accepted at t shows its outputs at t + 3 if nothing stalls.
`default_nettype none

module mac_pe #(
  parameter UNITS = 16,
  parameter LANES = 16,
  parameter MAGNITUDE_BITS = 7,
  parameter ACTIVATION_BITS = 7,
  parameter TERM_BITS = 16
) (
  input wire clk,
  input wire rst,
  input wire brick_valid,
  output wire brick_ready,
  input wire [UNITS*LANES*(MAGNITUDE_BITS+1)-1:0] brick_weights,
  input wire [LANES*(ACTIVATION_BITS+1)-1:0] brick_activations,
  input wire brick_last,
  output reg out_valid,
  input wire out_ready,
  output wire [UNITS*(MAGNITUDE_BITS+ACTIVATION_BITS+1+TERM_BITS)-1:0] out_values
);

  localparam WEIGHT_BITS = MAGNITUDE_BITS + 1;
  localparam VALUE_BITS = ACTIVATION_BITS + 1;
  localparam PRODUCT_BITS = MAGNITUDE_BITS + ACTIVATION_BITS + 1;
  localparam SUM_BITS = PRODUCT_BITS + $clog2(LANES);
  localparam ACCUMULATOR_BITS = PRODUCT_BITS + TERM_BITS;

  // Marks of the product and sum stages.
  reg product_valid;
  reg product_last;
  reg sum_valid;
  reg sum_last;

  wire enable = !out_valid || out_ready;
  assign brick_ready = enable;

  always @(posedge clk)
    if (rst) begin
      product_valid <= 1'b0;
      product_last <= 1'b0;
      sum_valid <= 1'b0;
      sum_last <= 1'b0;
      out_valid <= 1'b0;
    end else if (enable) begin
      product_valid <= brick_valid;
      product_last <= brick_last;
      sum_valid <= product_valid;
      sum_last <= product_last;
      out_valid <= sum_valid && sum_last;
    end

  genvar n, l;
  generate
    for (n = 0; n < UNITS; n = n + 1) begin : unit
      reg signed [SUM_BITS-1:0] sum;
      reg signed [ACCUMULATOR_BITS-1:0] accumulator;

      for (l = 0; l < LANES; l = l + 1) begin : lane
        wire signed [PRODUCT_BITS-1:0] product;
        wire signed [SUM_BITS-1:0] extended;
        // Sum of the products of lanes 0 to l.
        wire signed [SUM_BITS-1:0] running;

        mac_lane #(
          .MAGNITUDE_BITS(MAGNITUDE_BITS),
          .ACTIVATION_BITS(ACTIVATION_BITS)
        ) multiplier (
          .clk(clk),
          .enable(enable && brick_valid),
          .weight(brick_weights[(n*LANES+l)*WEIGHT_BITS +: WEIGHT_BITS]),
          .activation(brick_activations[l*VALUE_BITS +: VALUE_BITS]),
          .product(product)
        );

        assign extended = {{(SUM_BITS-PRODUCT_BITS+1){product[PRODUCT_BITS-1]}}, product[PRODUCT_BITS-2:0]};
        if (l == 0) assign running = extended;
        else assign running = lane[l-1].running + extended;
      end

      // The accumulator starts anew in the cycle in which its output leaves.
      wire signed [ACCUMULATOR_BITS-1:0] kept = out_valid ? {ACCUMULATOR_BITS{1'b0}} : accumulator;
      wire signed [ACCUMULATOR_BITS-1:0] addend =
        sum_valid ? {{(ACCUMULATOR_BITS-SUM_BITS){sum[SUM_BITS-1]}}, sum} : {ACCUMULATOR_BITS{1'b0}};

      always @(posedge clk) begin
        if (enable && product_valid) sum <= lane[LANES-1].running;
        if (rst) accumulator <= {ACCUMULATOR_BITS{1'b0}};
        else if (enable && (out_valid || sum_valid)) accumulator <= kept + addend;
      end

      assign out_values[n*ACCUMULATOR_BITS +: ACCUMULATOR_BITS] = accumulator;
    end
  endgenerate

endmodule

`default_nettype wire
