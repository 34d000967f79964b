// Row-convolution PE of SparseTrain (SPEC section 6; arXiv:2007.13595): TAPS multipliers and a window of running
// accumulators. The kind of an operation is chosen at run time: SRC (forward) and MSRC (gradInput) scatter an operand's
// products; OSRC (gradWeight) gathers products of two rows into one sum per tap. Twin of src/sim/rowPe.ts, which has
// the table of registers and rules.
//
// Parameters: TAPS multipliers; SPAN accumulators, at least (taps - 1) * dilation + 1 of every operation and TAPS; PORTS
// of OSRC, 1 (a load or a multiplication per cycle) or 2 (both); MAGNITUDE_BITS of a sign-magnitude code, which comes as
// two's complement of one bit more; ACCUMULATOR_BITS of a sum; COLUMN_BITS, signed, of columns and positions.
//
// Operation port: taken at the edge before the first cycle of the operation. `ready` when none runs, or in the last
// cycle of one, so that operations follow each other without a gap. It brings the kernel row and the geometry:
//   gathers   0 in SRC and MSRC, 1 in OSRC
//   window    columns that may be open: SRC ceil(((K-1) dilation + 1) / stride), MSRC (K-1) dilation + 1, OSRC K
//   place[k]  SRC floor(k dilation / stride), MSRC (K-1-k) dilation: columns left of the newest;
//             OSRC k dilation: distance left of the input
//   reach     OSRC: (K-1) dilation
//   slots     OSRC: gradients held at once, ceil((reach + 1) / stride) + 1
// Operand port (SRC, MSRC): value, `at` = newest column that it reaches, `taps` = those with a live target, `last` with
// the last of a row, `null` if it is no operand but the end of a row that has none. The feeder drops what has no target.
// Operand port (OSRC): value, `at` = position p, `taps` = those of the operation; `null` ends the row, after its last.
// Gradient port (OSRC): value, `at` = j * stride; `null` ends the row. Both ends are taken together, in the end cycle.
// Ready of both depends on valid of both in the same cycle. Retired sums always find room in the row buffer.
`default_nettype none

module row_pe #(
  parameter TAPS = 3,
  parameter SPAN = 3,
  parameter PORTS = 2,
  parameter MAGNITUDE_BITS = 15,
  parameter ACCUMULATOR_BITS = 40,
  parameter COLUMN_BITS = 12
) (
  input  wire                                 clk,
  input  wire                                 rst,
  input  wire                                 operation_valid,
  output wire                                 operation_ready,
  input  wire                                 operation_gathers,
  input  wire [$clog2(SPAN+2)-1:0]            operation_window,
  input  wire [TAPS*$clog2(SPAN+2)-1:0]       operation_place,
  input  wire [$clog2(SPAN+2)-1:0]            operation_reach,
  input  wire [$clog2(SPAN+2)-1:0]            operation_slots,
  input  wire [TAPS*(MAGNITUDE_BITS+1)-1:0]   operation_weight,
  input  wire                                 operand_valid,
  output wire                                 operand_ready,
  input  wire signed [MAGNITUDE_BITS:0]       operand_value,
  input  wire signed [COLUMN_BITS-1:0]        operand_at,
  input  wire [TAPS-1:0]                      operand_taps,
  input  wire                                 operand_last,
  input  wire                                 operand_null,
  input  wire                                 gradient_valid,
  output wire                                 gradient_ready,
  input  wire signed [MAGNITUDE_BITS:0]       gradient_value,
  input  wire signed [COLUMN_BITS-1:0]        gradient_at,
  input  wire                                 gradient_null,
  output wire [SPAN-1:0]                      retired_valid,
  output wire [SPAN*COLUMN_BITS-1:0]          retired_column,
  output wire [SPAN*ACCUMULATOR_BITS-1:0]     retired_sum,
  output wire                                 busy,
  output wire                                 draining
);
  localparam S = $clog2(SPAN + 2);
  localparam CODE_BITS = MAGNITUDE_BITS + 1;
  // No code is -2^MAGNITUDE_BITS, so the topmost bit of a full product repeats its sign.
  localparam PRODUCT_BITS = 2 * MAGNITUDE_BITS + 1;

  // The operation that runs; `first` until its accumulators are open.
  reg active;
  reg first;
  reg gathers;
  reg [S-1:0] window;
  reg [TAPS*S-1:0] place;
  reg [S-1:0] reach;
  reg [S-1:0] slots;
  reg [TAPS*CODE_BITS-1:0] weight;

  // SRC and MSRC take what is on offer.
  wire take = active & ~gathers & operand_valid;
  wire feed = take & ~operand_null;

  // OSRC. Nothing is known of a source that is late: neither where it stands nor that its row has ended.
  wire gathering = active & gathers;
  wire input_left = gathering & operand_valid & ~operand_null;
  wire input_ended = gathering & operand_valid & operand_null;
  wire gradient_left = gathering & gradient_valid & ~gradient_null;
  wire gradient_ended = gathering & gradient_valid & gradient_null;
  wire gather_end = input_ended & gradient_ended;
  wire gradient_beyond = gradient_at > operand_at;
  wire multiply = input_left & (gradient_ended | (gradient_left & gradient_beyond));
  wire [S-1:0] held_count;
  wire room = held_count < slots;
  wire load = gradient_left & room & (PORTS == 2 ? 1'b1 : ~multiply);

  wire ends = gather_end | (take & operand_last);
  wire opens = first & (feed | gathering);
  wire accept = operation_valid & operation_ready;
  assign operation_ready = ~active | ends;
  assign operand_ready = take | multiply | gather_end;
  assign gradient_ready = load | gather_end;
  assign busy = active;

  wire [TAPS-1:0] match;
  wire [TAPS*CODE_BITS-1:0] gradient;
  gradient_window #(
    .TAPS(TAPS), .SPAN(SPAN), .CODE_BITS(CODE_BITS), .COLUMN_BITS(COLUMN_BITS)
  ) gradients (
    .clk(clk), .rst(rst),
    .p_known(input_left), .p_infinite(input_ended), .p(operand_at), .reach(reach), .distance(place),
    .load(load), .load_at(gradient_at), .load_value(gradient_value), .clear(gather_end),
    .held_count(held_count), .match(match), .gradient(gradient)
  );

  wire [TAPS-1:0] adds = gathers ? {TAPS{multiply}} & operand_taps & match : {TAPS{feed}} & operand_taps;
  wire [TAPS*PRODUCT_BITS-1:0] product;
  genvar k;
  generate
    for (k = 0; k < TAPS; k = k + 1) begin : tap
      wire signed [CODE_BITS-1:0] factor =
        gathers ? gradient[k*CODE_BITS +: CODE_BITS] : weight[k*CODE_BITS +: CODE_BITS];
      wire signed [PRODUCT_BITS-1:0] own_product = factor * operand_value;
      assign product[k*PRODUCT_BITS +: PRODUCT_BITS] = own_product;
    end
  endgenerate

  row_accumulators #(
    .TAPS(TAPS), .SPAN(SPAN), .PRODUCT_BITS(PRODUCT_BITS), .ACCUMULATOR_BITS(ACCUMULATOR_BITS),
    .COLUMN_BITS(COLUMN_BITS)
  ) accumulators (
    .clk(clk), .rst(rst),
    .gathers(gathers), .ends_row(take & operand_last), .retires_all(gather_end),
    .opens(opens), .moves(feed), .at(operand_at), .window(window), .place(place),
    .adds(adds), .product(product),
    .retired_valid(retired_valid), .retired_column(retired_column), .retired_sum(retired_sum), .flush(draining)
  );

  always @(posedge clk)
    if (rst) begin
      active <= 1'b0;
      first <= 1'b0;
    end else begin
      active <= accept | (active & ~ends);
      first <= accept | (first & ~opens);
    end

  always @(posedge clk)
    if (accept) begin
      gathers <= operation_gathers;
      window <= operation_window;
      place <= operation_place;
      reach <= operation_reach;
      slots <= operation_slots;
      weight <= operation_weight;
    end
endmodule

`default_nettype wire
