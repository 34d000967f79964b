// Splitter of one lane (SPEC section 3; Tetris section IV): for each bit column of a kneaded word, the activation that
// the column's pointer names.
//
//   MAGNITUDE_BITS   columns of a word (B)
//   KNEADING_STRIDE  activations of a window (KS)
//   ACTIVATION_BITS  magnitude bits of an activation; in the window two's complement of one bit more
//
// Column b of a word is {sign, pointer, valid}, valid in its lowest bit; column 0 lies lowest. Combinational.
`default_nettype none

module splitter #(
    parameter MAGNITUDE_BITS = 15,
    parameter KNEADING_STRIDE = 16,
    parameter ACTIVATION_BITS = 15,
    parameter POINTER_BITS = KNEADING_STRIDE > 1 ? $clog2(KNEADING_STRIDE) : 1,
    parameter COLUMNS_BITS = MAGNITUDE_BITS * (POINTER_BITS + 2)
) (
    input  wire [                       COLUMNS_BITS-1:0] columns,
    input  wire [KNEADING_STRIDE*(ACTIVATION_BITS+1)-1:0] window,
    output wire [                     MAGNITUDE_BITS-1:0] valid,
    output wire [                     MAGNITUDE_BITS-1:0] negative,
    output wire [ MAGNITUDE_BITS*(ACTIVATION_BITS+1)-1:0] selected
);
  localparam SLOT_BITS = POINTER_BITS + 2;
  localparam VALUE_BITS = ACTIVATION_BITS + 1;

  wire [VALUE_BITS-1:0] activation[0:KNEADING_STRIDE-1];

  genvar p, b;
  generate
    for (p = 0; p < KNEADING_STRIDE; p = p + 1) begin : unpack
      assign activation[p] = window[(p+1)*VALUE_BITS-1:p*VALUE_BITS];
    end
    for (b = 0; b < MAGNITUDE_BITS; b = b + 1) begin : column
      wire [POINTER_BITS-1:0] pointer = columns[b*SLOT_BITS+POINTER_BITS:b*SLOT_BITS+1];
      assign valid[b] = columns[b*SLOT_BITS];
      assign negative[b] = columns[b*SLOT_BITS+POINTER_BITS+1];
      assign selected[(b+1)*VALUE_BITS-1:b*VALUE_BITS] = activation[pointer];
    end
  endgenerate
endmodule

`default_nettype wire
