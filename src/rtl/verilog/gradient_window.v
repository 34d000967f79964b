// Gradient window of OSRC in the row PE (SPEC section 6): a queue of SPAN + 1 gradients, each {position, value},
// oldest at window_head. Position is j * stride of gradient j. An input at position p meets, at tap k, the gradient
// `distance` k (= k * dilation) left of p.
//
// Parameters: TAPS; SPAN accumulators of the PE; CODE_BITS of a value and COLUMN_BITS of a position, signed.
//
// Timing: `held_count` and `match`, `gradient` answer in the same cycle from registered state.
//   p_known     an input at position p is on offer: gradients more than `reach` left of it are dropped in this cycle
//   p_infinite  the row of inputs has ended: all are dropped
//   load        {load_at, load_value} is pushed; it can be matched from the next cycle on
//   clear       the window is emptied
`default_nettype none

module gradient_window #(
  parameter TAPS = 3,
  parameter SPAN = 3,
  parameter CODE_BITS = 16,
  parameter COLUMN_BITS = 12
) (
  input  wire                            clk,
  input  wire                            rst,
  input  wire                            p_known,
  input  wire                            p_infinite,
  input  wire signed [COLUMN_BITS-1:0]   p,
  input  wire [$clog2(SPAN+2)-1:0]       reach,
  input  wire [TAPS*$clog2(SPAN+2)-1:0]  distance,
  input  wire                            load,
  input  wire signed [COLUMN_BITS-1:0]   load_at,
  input  wire signed [CODE_BITS-1:0]     load_value,
  input  wire                            clear,
  output wire [$clog2(SPAN+2)-1:0]       held_count,
  output wire [TAPS-1:0]                 match,
  output wire [TAPS*CODE_BITS-1:0]       gradient
);
  localparam S = $clog2(SPAN + 2);
  localparam SLOTS = SPAN + 1;
  localparam [S:0] RING = SLOTS[S:0];

  reg [S-1:0] window_head;
  reg [S-1:0] window_count;

  function [S-1:0] forward(input [S-1:0] slot, input [S-1:0] by);
    reg [S:0] sum;
    begin
      sum = {1'b0, slot} + {1'b0, by};
      if (sum >= RING) sum = sum - RING;
      forward = sum[S-1:0];
    end
  endfunction

  // What is dropped goes from the front, so the place behind the last does not move.
  wire [S-1:0] load_slot = forward(window_head, window_count);
  wire [SLOTS-1:0] dropped;
  wire [SLOTS*TAPS-1:0] meets;
  wire [SLOTS*CODE_BITS-1:0] values;

  genvar s, k;
  generate
    for (s = 0; s < SLOTS; s = s + 1) begin : slot
      localparam [S:0] HERE = s;
      reg signed [COLUMN_BITS-1:0] gradient_at;
      reg signed [CODE_BITS-1:0] gradient_value;
      // Its place in the queue, and whether there is something.
      wire [S:0] head_wide = {1'b0, window_head};
      wire [S:0] place = HERE >= head_wide ? HERE - head_wide : HERE + RING - head_wide;
      wire held = place < {1'b0, window_count};
      // Positions right of p are at a negative distance, which is a large number here.
      wire [COLUMN_BITS:0] away = {p[COLUMN_BITS-1], p} - {gradient_at[COLUMN_BITS-1], gradient_at};
      wire beyond_reach = !away[COLUMN_BITS] && away[COLUMN_BITS-1:0] > {{(COLUMN_BITS-S){1'b0}}, reach};
      assign dropped[s] = held & (p_infinite | (p_known & beyond_reach));
      for (k = 0; k < TAPS; k = k + 1) begin : tap
        assign meets[s*TAPS + k] = held && away == {{(COLUMN_BITS+1-S){1'b0}}, distance[k*S +: S]};
      end
      assign values[s*CODE_BITS +: CODE_BITS] = gradient_value;

      always @(posedge clk)
        if (load && {1'b0, load_slot} == HERE) begin
          gradient_at <= load_at;
          gradient_value <= load_value;
        end
    end
  endgenerate

  reg [S-1:0] dropped_count;
  integer d;
  always @* begin
    dropped_count = {S{1'b0}};
    for (d = 0; d < SLOTS; d = d + 1) dropped_count = dropped_count + {{(S-1){1'b0}}, dropped[d]};
  end
  assign held_count = window_count - dropped_count;

  // A tap meets one gradient at most: OR instead of a multiplexer.
  generate
    for (k = 0; k < TAPS; k = k + 1) begin : select
      reg [CODE_BITS-1:0] value;
      reg found;
      integer t;
      always @* begin
        value = {CODE_BITS{1'b0}};
        found = 1'b0;
        for (t = 0; t < SLOTS; t = t + 1)
          if (meets[t*TAPS + k]) begin
            value = value | values[t*CODE_BITS +: CODE_BITS];
            found = 1'b1;
          end
      end
      assign match[k] = found;
      assign gradient[k*CODE_BITS +: CODE_BITS] = value;
    end
  endgenerate

  always @(posedge clk)
    if (rst) begin
      window_head <= {S{1'b0}};
      window_count <= {S{1'b0}};
    end else if (clear) window_count <= {S{1'b0}};
    else begin
      window_head <= forward(window_head, dropped_count);
      window_count <= held_count + {{(S-1){1'b0}}, load};
    end
endmodule

`default_nettype wire
