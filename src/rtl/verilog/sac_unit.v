// Split-and-accumulate unit (SPEC section 3; Tetris section IV): LANES lanes of kneaded words into MAGNITUDE_BITS
// segment adders, which the lanes share, and a rear adder tree that is used once per output. Nothing is shifted before.
//
//   LANES            lanes
//   MAGNITUDE_BITS   magnitude bits of a weight, columns of a word (B)
//   ACTIVATION_BITS  magnitude bits of an activation; in the window two's complement of one bit more
//   KNEADING_STRIDE  activations of a window (KS)
//   SEGMENT_BITS     width of a segment, two's complement
//   SUM_BITS         width of an output, two's complement
//
// Word: {flush, pass, B x {sign, pointer, valid}}. A lane accepts the word on offer when its window is there, it has
// not flushed, and `go`. The flush of the last lane at t gives out_valid at t + 1 + max(1, ceil(log2 B)).
`default_nettype none

module sac_unit #(
    parameter LANES = 16,
    parameter MAGNITUDE_BITS = 15,
    parameter ACTIVATION_BITS = 15,
    parameter KNEADING_STRIDE = 16,
    parameter SEGMENT_BITS = 32,
    parameter SUM_BITS = SEGMENT_BITS + MAGNITUDE_BITS,
    parameter WORD_BITS =
        2 + MAGNITUDE_BITS * (2 + (KNEADING_STRIDE > 1 ? $clog2(KNEADING_STRIDE) : 1)),
    parameter WINDOW_BITS = KNEADING_STRIDE * (ACTIVATION_BITS + 1)
) (
    input  wire                         clk,
    input  wire                         rst,
    // A lane without items counts as flushed.
    input  wire [            LANES-1:0] lane_active,
    input  wire [            LANES-1:0] word_valid,
    input  wire [  LANES*WORD_BITS-1:0] word,
    input  wire [            LANES-1:0] slot_valid,
    input  wire [LANES*WINDOW_BITS-1:0] window,
    output wire [            LANES-1:0] accept,
    // The lane is done with its window in this cycle.
    output wire [            LANES-1:0] pass,
    output wire                         out_valid,
    input  wire                         out_ready,
    output wire [         SUM_BITS-1:0] out_value
);
  localparam VALUE_BITS = ACTIVATION_BITS + 1;
  localparam COLUMNS_BITS = WORD_BITS - 2;

  reg pending;
  reg [LANES-1:0] flushed;

  wire advance = !out_valid || out_ready;
  wire take = pending && advance;
  wire go = !pending || advance;
  wire [LANES-1:0] flush;

  // Lanes that will have flushed at the edge; when all have, the sum is complete.
  wire [LANES-1:0] flushed_now = flushed | (accept & flush) | ~lane_active;
  wire done = |(accept & flush) && &flushed_now;

  assign accept = {LANES{go}} & lane_active & word_valid & slot_valid & ~flushed;

  always @(posedge clk) begin
    if (rst) begin
      pending <= 1'b0;
      flushed <= {LANES{1'b0}};
    end else begin
      pending <= done || (pending && !take);
      flushed <= done ? {LANES{1'b0}} : flushed | (accept & flush);
    end
  end

  genvar l, b;
  generate
    for (l = 0; l < LANES; l = l + 1) begin : lane
      wire [WORD_BITS-1:0] own = word[(l+1)*WORD_BITS-1:l*WORD_BITS];
      wire [MAGNITUDE_BITS-1:0] valid;
      wire [MAGNITUDE_BITS-1:0] negative;
      wire [MAGNITUDE_BITS*VALUE_BITS-1:0] selected;
      assign flush[l] = own[WORD_BITS-1];
      // Flush implies pass.
      assign pass[l]  = accept[l] && (own[WORD_BITS-1] || own[WORD_BITS-2]);
      splitter #(
          .MAGNITUDE_BITS (MAGNITUDE_BITS),
          .KNEADING_STRIDE(KNEADING_STRIDE),
          .ACTIVATION_BITS(ACTIVATION_BITS)
      ) splitter (
          .columns (own[COLUMNS_BITS-1:0]),
          .window  (window[(l+1)*WINDOW_BITS-1:l*WINDOW_BITS]),
          .valid   (valid),
          .negative(negative),
          .selected(selected)
      );
    end

    for (b = 0; b < MAGNITUDE_BITS; b = b + 1) begin : column
      wire [LANES-1:0] add;
      wire [LANES-1:0] negative;
      wire [LANES*VALUE_BITS-1:0] activations;
      wire signed [SEGMENT_BITS-1:0] segment;
      for (l = 0; l < LANES; l = l + 1) begin : gather
        assign add[l] = accept[l] && lane[l].valid[b];
        assign negative[l] = lane[l].negative[b];
        assign activations[(l+1)*VALUE_BITS-1:l*VALUE_BITS] =
            lane[l].selected[(b+1)*VALUE_BITS-1:b*VALUE_BITS];
      end
      segment_adder #(
          .LANES          (LANES),
          .ACTIVATION_BITS(ACTIVATION_BITS),
          .SEGMENT_BITS   (SEGMENT_BITS)
      ) adder (
          .clk        (clk),
          .rst        (rst),
          .take       (take),
          .add        (add),
          .negative   (negative),
          .activations(activations),
          .segment    (segment)
      );
      assign segments[(b+1)*SEGMENT_BITS-1:b*SEGMENT_BITS] = segment;
    end
  endgenerate

  wire [MAGNITUDE_BITS*SEGMENT_BITS-1:0] segments;
  rear_tree #(
      .MAGNITUDE_BITS(MAGNITUDE_BITS),
      .SEGMENT_BITS  (SEGMENT_BITS),
      .SUM_BITS      (SUM_BITS)
  ) tree (
      .clk      (clk),
      .rst      (rst),
      .advance  (advance),
      .capture  (pending),
      .segments (segments),
      .out_valid(out_valid),
      .out_value(out_value)
  );
endmodule

`default_nettype wire
