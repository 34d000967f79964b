// Rear adder tree of a SAC unit (SPEC section 3): the sum over bit columns b of segment[b] * 2^b, once per output.
//
//   MAGNITUDE_BITS  segments (B)
//   SEGMENT_BITS    width of a segment
//   SUM_BITS        width of the sums
//
// STAGES = max(1, ceil(log2 B)) registered stages. Stage 1 adds neighbouring segments, each further stage neighbouring
// partial sums. All stages move together iff `advance`; stage 1 captures the segments when `capture`.
`default_nettype none

module rear_tree #(
    parameter MAGNITUDE_BITS = 15,
    parameter SEGMENT_BITS = 32,
    parameter SUM_BITS = 48
) (
    input  wire                                   clk,
    input  wire                                   rst,
    input  wire                                   advance,
    input  wire                                   capture,
    input  wire [MAGNITUDE_BITS*SEGMENT_BITS-1:0] segments,
    output wire                                   out_valid,
    output wire [                   SUM_BITS-1:0] out_value
);
  localparam STAGES = MAGNITUDE_BITS > 1 ? $clog2(MAGNITUDE_BITS) : 1;

  genvar k, i;
  generate
    for (k = 0; k < STAGES; k = k + 1) begin : stage
      localparam INPUTS = (MAGNITUDE_BITS + (1 << k) - 1) >> k;
      localparam OUTPUTS = (INPUTS + 1) / 2;
      reg tree_valid;
      wire moves;
      wire [INPUTS*SUM_BITS-1:0] terms;
      wire [OUTPUTS*SUM_BITS-1:0] sums;

      if (k == 0) begin : first
        assign moves = capture;
        for (i = 0; i < INPUTS; i = i + 1) begin : extend
          wire [SEGMENT_BITS-1:0] segment = segments[(i+1)*SEGMENT_BITS-1:i*SEGMENT_BITS];
          assign terms[(i+1)*SUM_BITS-1:i*SUM_BITS] = {
            {(SUM_BITS - SEGMENT_BITS) {segment[SEGMENT_BITS-1]}}, segment
          };
        end
      end else begin : later
        assign moves = stage[k-1].tree_valid;
        assign terms = stage[k-1].sums;
      end

      always @(posedge clk) begin
        if (rst) tree_valid <= 1'b0;
        else if (advance) tree_valid <= moves;
      end

      // Neighbours of stage k + 1 are 2^k columns apart.
      for (i = 0; i < OUTPUTS; i = i + 1) begin : node
        wire [SUM_BITS-1:0] low = terms[(2*i+1)*SUM_BITS-1:2*i*SUM_BITS];
        wire [SUM_BITS-1:0] high;
        if (2 * i + 1 < INPUTS) begin : pair
          assign high = terms[(2*i+2)*SUM_BITS-1:(2*i+1)*SUM_BITS] << (1 << k);
        end else begin : single
          assign high = {SUM_BITS{1'b0}};
        end
        reg [SUM_BITS-1:0] tree_sum;
        always @(posedge clk) if (advance && moves) tree_sum <= low + high;
        assign sums[(i+1)*SUM_BITS-1:i*SUM_BITS] = tree_sum;
      end
    end
  endgenerate

  assign out_valid = stage[STAGES-1].tree_valid;
  assign out_value = stage[STAGES-1].sums;
endmodule

`default_nettype wire
