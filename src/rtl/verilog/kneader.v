// On-line kneader of one unit and lane (SPEC section 7, masked kneading): turns a group of raw codes into kneaded words
// under the mask of the window's non-zero values.
//
//   MAGNITUDE_BITS   magnitude bits of a code, columns of a word (B)
//   KNEADING_STRIDE  codes of a group (KS); a short group is filled up with zeros
//
// A group and its mask come on ports of their own and are taken together. The kneader keeps B bit planes of what the mask
// leaves and, from the next cycle on, offers one word {flush, pass, B x {sign, pointer, valid}} per cycle: in each column
// the lowest bit that is left. A word that is taken clears its bits; with the last word of a group the next group loads at
// the same edge, so that no bubble arises. A group of which nothing is left is one null word.
`default_nettype none

module kneader #(
    parameter MAGNITUDE_BITS = 15,
    parameter KNEADING_STRIDE = 16,
    parameter POINTER_BITS = KNEADING_STRIDE > 1 ? $clog2(KNEADING_STRIDE) : 1,
    parameter WORD_BITS = 2 + MAGNITUDE_BITS * (2 + POINTER_BITS)
) (
    input  wire                                      clk,
    input  wire                                      rst,
    input  wire                                      group_valid,
    output wire                                      group_ready,
    // Code k: sign in bit k of the signs, magnitude at k * MAGNITUDE_BITS.
    input  wire [               KNEADING_STRIDE-1:0] group_signs,
    input  wire [KNEADING_STRIDE*MAGNITUDE_BITS-1:0] group_magnitudes,
    // Whether the group is the last of an output.
    input  wire                                      group_flush,
    input  wire                                      mask_valid,
    output wire                                      mask_ready,
    input  wire [               KNEADING_STRIDE-1:0] mask_bits,
    output wire                                      word_valid,
    input  wire                                      word_ready,
    output wire [                     WORD_BITS-1:0] word
);
  localparam SLOT_BITS = POINTER_BITS + 2;

  reg kneader_valid;
  reg kneader_flush;
  reg [KNEADING_STRIDE-1:0] kneader_sign;

  wire [MAGNITUDE_BITS-1:0] more;
  wire last = ~|more;
  wire taken = word_valid && word_ready;
  wire room = !kneader_valid || (taken && last);
  wire load = room && group_valid && mask_valid;

  assign group_ready = room && mask_valid;
  assign mask_ready  = room && group_valid;
  assign word_valid  = kneader_valid;
  assign word[WORD_BITS-1] = last && kneader_flush;
  assign word[WORD_BITS-2] = last;

  always @(posedge clk) begin
    if (rst) kneader_valid <= 1'b0;
    else kneader_valid <= load || (kneader_valid && !(taken && last));
  end

  always @(posedge clk) begin
    if (load) begin
      kneader_flush <= group_flush;
      kneader_sign  <= group_signs & mask_bits;
    end
  end

  genvar b, k;
  generate
    for (b = 0; b < MAGNITUDE_BITS; b = b + 1) begin : column
      reg [KNEADING_STRIDE-1:0] kneader_plane;
      wire [KNEADING_STRIDE-1:0] bits;
      wire [KNEADING_STRIDE-1:0] rest = kneader_plane & (kneader_plane - 1'b1);
      wire [KNEADING_STRIDE-1:0] lowest = kneader_plane & ~rest;
      reg [POINTER_BITS-1:0] pointer;
      integer i;

      for (k = 0; k < KNEADING_STRIDE; k = k + 1) begin : gather
        assign bits[k] = group_magnitudes[k*MAGNITUDE_BITS+b] && mask_bits[k];
      end

      always @(posedge clk) begin
        if (load) kneader_plane <= bits;
        else if (taken && !last) kneader_plane <= rest;
      end

      // From one hot to binary.
      always @* begin
        pointer = {POINTER_BITS{1'b0}};
        for (i = 0; i < KNEADING_STRIDE; i = i + 1)
          if (lowest[i]) pointer = pointer | i[POINTER_BITS-1:0];
      end

      assign more[b] = |rest;
      assign word[(b+1)*SLOT_BITS-1:b*SLOT_BITS] = {|(lowest & kneader_sign), pointer, |kneader_plane};
    end
  endgenerate
endmodule

`default_nettype wire
