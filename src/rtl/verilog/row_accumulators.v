// Running accumulators of the row PE (SPEC section 6): a ring of SPAN sums, of which a window of consecutive columns
// of the output row is in use. Its rightmost column is `newest`, in slot `newest_slot`; slot s holds the column
// newest - ((newest_slot - s) mod SPAN). The window moves to the right as the row advances.
//
// Parameters: TAPS products per cycle; SPAN accumulators; PRODUCT_BITS, ACCUMULATOR_BITS, COLUMN_BITS widths, signed.
//
// Timing: all inputs belong to this cycle, in this order of effect.
//   flush       what is touched retires and is cleared; a flush is set for the next cycle by `ends_row`
//   retires_all the same, at once (end of OSRC)
//   opens       the window lies where the first operand of an operation needs it (OSRC: columns 0 to window - 1)
//   moves       (also with opens) the window moves until its rightmost column is `at`; what falls out on the left retires
//   adds[k]     product k is added, after all that: at `place` k columns left of newest, or (gathers) in slot k
// Retired sums stand at the port, which is as wide as the ring, in the cycle in which they leave: lane s is slot s.
`default_nettype none

module row_accumulators #(
  parameter TAPS = 3,
  parameter SPAN = 3,
  parameter PRODUCT_BITS = 31,
  parameter ACCUMULATOR_BITS = 40,
  parameter COLUMN_BITS = 12
) (
  input  wire                               clk,
  input  wire                               rst,
  input  wire                               gathers,
  input  wire                               ends_row,
  input  wire                               retires_all,
  input  wire                               opens,
  input  wire                               moves,
  input  wire signed [COLUMN_BITS-1:0]      at,
  input  wire [$clog2(SPAN+2)-1:0]          window,
  input  wire [TAPS*$clog2(SPAN+2)-1:0]     place,
  input  wire [TAPS-1:0]                    adds,
  input  wire [TAPS*PRODUCT_BITS-1:0]       product,
  output wire [SPAN-1:0]                    retired_valid,
  output wire [SPAN*COLUMN_BITS-1:0]        retired_column,
  output wire [SPAN*ACCUMULATOR_BITS-1:0]   retired_sum,
  output reg                                flush
);
  localparam S = $clog2(SPAN + 2);
  localparam [S:0] RING = SPAN[S:0];

  // A sum of two slot numbers, and a difference, on the ring.
  function [S-1:0] forward(input [S-1:0] slot, input [S-1:0] by);
    reg [S:0] sum;
    begin
      sum = {1'b0, slot} + {1'b0, by};
      if (sum >= RING) sum = sum - RING;
      forward = sum[S-1:0];
    end
  endfunction
  function [S-1:0] backward(input [S-1:0] slot, input [S-1:0] by);
    reg [S:0] difference;
    begin
      difference = {1'b0, slot} - {1'b0, by};
      if (slot < by) difference = difference + RING;
      backward = difference[S-1:0];
    end
  endfunction

  reg signed [COLUMN_BITS-1:0] newest;
  reg [S-1:0] newest_slot;

  // Move of the window. `far`: all of it falls out.
  wire [COLUMN_BITS-1:0] by = at - newest;
  wire far = by >= {{(COLUMN_BITS-S){1'b0}}, window};
  wire [S-1:0] window_end = window - 1'b1;
  wire [S-1:0] slot_next = opens ? window_end
                         : moves && !far ? forward(newest_slot, by[S-1:0])
                         : newest_slot;
  wire retires = flush | retires_all;

  // Slots that the products go to.
  wire [TAPS*S-1:0] slot_of;
  genvar k;
  generate
    for (k = 0; k < TAPS; k = k + 1) begin : tap
      localparam [S-1:0] OWN = k;
      assign slot_of[k*S +: S] = gathers ? OWN : backward(slot_next, place[k*S +: S]);
    end
  endgenerate

  genvar s;
  generate
    for (s = 0; s < SPAN; s = s + 1) begin : slot
      localparam [S-1:0] HERE = s;
      reg signed [ACCUMULATOR_BITS-1:0] accumulator;
      reg touched;
      // How many columns left of the newest this slot lies.
      wire [S-1:0] back = backward(newest_slot, HERE);
      wire [S:0] back_then = {1'b0, back} + {1'b0, by[S-1:0]};
      wire falls_out = moves & (far | back_then >= {1'b0, window});
      wire retire = touched & (retires | falls_out);

      // At most one product comes to a slot: OR instead of a sum.
      reg [PRODUCT_BITS-1:0] product_here;
      reg hit;
      integer t;
      always @* begin
        product_here = {PRODUCT_BITS{1'b0}};
        hit = 1'b0;
        for (t = 0; t < TAPS; t = t + 1)
          if (adds[t] && slot_of[t*S +: S] == HERE) begin
            product_here = product_here | product[t*PRODUCT_BITS +: PRODUCT_BITS];
            hit = 1'b1;
          end
      end
      wire signed [ACCUMULATOR_BITS-1:0] kept = retire ? {ACCUMULATOR_BITS{1'b0}} : accumulator;
      wire signed [ACCUMULATOR_BITS-1:0] addend =
        {{(ACCUMULATOR_BITS-PRODUCT_BITS){product_here[PRODUCT_BITS-1]}}, product_here};

      always @(posedge clk)
        if (rst) begin
          accumulator <= {ACCUMULATOR_BITS{1'b0}};
          touched <= 1'b0;
        end else begin
          accumulator <= kept + addend;
          touched <= (touched & ~retire) | hit;
        end

      assign retired_valid[s] = retire;
      assign retired_column[s*COLUMN_BITS +: COLUMN_BITS] = newest - {{(COLUMN_BITS-S){1'b0}}, back};
      assign retired_sum[s*ACCUMULATOR_BITS +: ACCUMULATOR_BITS] = accumulator;
    end
  endgenerate

  always @(posedge clk)
    if (rst) begin
      newest <= {COLUMN_BITS{1'b0}};
      newest_slot <= {S{1'b0}};
      flush <= 1'b0;
    end else begin
      flush <= ends_row;
      newest_slot <= slot_next;
      if (opens && gathers) newest <= {{(COLUMN_BITS-S){1'b0}}, window_end};
      else if (opens || moves) newest <= at;
    end
endmodule

`default_nettype wire
