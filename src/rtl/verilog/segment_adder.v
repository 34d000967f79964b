// Segment adder of one bit column of a SAC unit (SPEC section 3): sums what the column's slots select in all lanes.
//
//   LANES            lanes of the unit
//   ACTIVATION_BITS  magnitude bits of an activation; two's complement of one bit more
//   SEGMENT_BITS     width of the register, two's complement; more than ACTIVATION_BITS + 2 + ceil(log2 LANES)
//
// At each edge: segment = (take ? 0 : segment) + sum over adding lanes of (negative ? -activation : activation).
// `take` says that the rear tree captures the segment at the same edge.
`default_nettype none

module segment_adder #(
    parameter LANES = 16,
    parameter ACTIVATION_BITS = 15,
    parameter SEGMENT_BITS = 32
) (
    input  wire                               clk,
    input  wire                               rst,
    input  wire                               take,
    input  wire [                  LANES-1:0] add,
    input  wire [                  LANES-1:0] negative,
    input  wire [LANES*(ACTIVATION_BITS+1)-1:0] activations,
    output reg signed [     SEGMENT_BITS-1:0] segment
);
  localparam VALUE_BITS = ACTIVATION_BITS + 1;
  // A balanced tree over the lanes: level k has every 2^k lanes added, in numbers of k + 1 bits more than an activation.
  localparam LEVELS = $clog2(LANES);
  localparam SUM_BITS = VALUE_BITS + 1 + LEVELS;

  genvar k, i;
  generate
    for (k = 0; k <= LEVELS; k = k + 1) begin : level
      localparam TERMS = (LANES + (1 << k) - 1) >> k;
      localparam BITS = VALUE_BITS + 1 + k;
      wire [TERMS*BITS-1:0] sums;
      for (i = 0; i < TERMS; i = i + 1) begin : node
        if (k == 0) begin : lane
          wire [BITS-1:0] value = {
            activations[(i+1)*VALUE_BITS-1], activations[(i+1)*VALUE_BITS-1:i*VALUE_BITS]
          };
          assign sums[(i+1)*BITS-1:i*BITS] = !add[i] ? {BITS{1'b0}} : negative[i] ? -value : value;
        end else begin : neighbours
          localparam BELOW = BITS - 1;
          wire [BELOW-1:0] low = level[k-1].sums[(2*i+1)*BELOW-1:2*i*BELOW];
          if (2 * i + 1 < (LANES + (1 << (k - 1)) - 1) >> (k - 1)) begin : pair
            wire [BELOW-1:0] high = level[k-1].sums[(2*i+2)*BELOW-1:(2*i+1)*BELOW];
            assign sums[(i+1)*BITS-1:i*BITS] = {low[BELOW-1], low} + {high[BELOW-1], high};
          end else begin : single
            assign sums[(i+1)*BITS-1:i*BITS] = {low[BELOW-1], low};
          end
        end
      end
    end
  endgenerate

  wire [SUM_BITS-1:0] cycle_sum = level[LEVELS].sums;
  // Segments are wider than the sum of one cycle.
  wire [SEGMENT_BITS-1:0] sum = {{(SEGMENT_BITS - SUM_BITS) {cycle_sum[SUM_BITS-1]}}, cycle_sum};

  always @(posedge clk) begin
    if (rst) segment <= {SEGMENT_BITS{1'b0}};
    else if (take || |add) segment <= (take ? {SEGMENT_BITS{1'b0}} : segment) + sum;
  end
endmodule

`default_nettype wire
