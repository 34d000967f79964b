// Where one unit stands in the windows of one lane (SPEC section 3): `lead` windows past the head, in slot `read_slot`.
//
//   WINDOW_BITS   bits of a window
//   WINDOW_SLOTS  slots (D)
//   BARRIER       1: a unit that has passed the head window waits until it is freed. 0: it reads on (skew)
//
// `pass` (done with this window) and `free` (the head slot goes) act at the clock edge; `passed` tells, within the
// cycle, whether the head window lies behind the unit at the edge. A unit that is not active stays at the head window.
`default_nettype none

module window_reader #(
    parameter WINDOW_BITS  = 256,
    parameter WINDOW_SLOTS = 2,
    parameter BARRIER      = 0,
    parameter COUNT_BITS   = $clog2(WINDOW_SLOTS + 1),
    parameter INDEX_BITS   = WINDOW_SLOTS > 1 ? $clog2(WINDOW_SLOTS) : 1
) (
    input  wire                                clk,
    input  wire                                rst,
    input  wire                                active,
    input  wire [              COUNT_BITS-1:0] window_count,
    // Slot of the head window after the coming edge.
    input  wire [              INDEX_BITS-1:0] next_head,
    input  wire [WINDOW_SLOTS*WINDOW_BITS-1:0] window,
    input  wire                                pass,
    input  wire                                free,
    output wire                                passed,
    output wire                                slot_valid,
    output wire [             WINDOW_BITS-1:0] slot_window
);
  localparam LAST = WINDOW_SLOTS - 1;

  reg [COUNT_BITS-1:0] lead;
  reg [INDEX_BITS-1:0] read_slot;

  assign passed = lead != {COUNT_BITS{1'b0}} || pass;

  generate
    if (BARRIER != 0) begin : barrier
      assign slot_valid = lead == {COUNT_BITS{1'b0}} && window_count != {COUNT_BITS{1'b0}};
    end else begin : skew
      assign slot_valid = lead < window_count;
    end
  endgenerate

  always @(posedge clk) begin
    if (rst) begin
      lead <= {COUNT_BITS{1'b0}};
      read_slot <= {INDEX_BITS{1'b0}};
    end else if (!active) begin
      lead <= {COUNT_BITS{1'b0}};
      read_slot <= next_head;
    end else begin
      if (pass && !free) lead <= lead + 1'b1;
      else if (!pass && free) lead <= lead - 1'b1;
      if (pass) read_slot <= read_slot == LAST[INDEX_BITS-1:0] ? {INDEX_BITS{1'b0}} : read_slot + 1'b1;
    end
  end

  // A mux of whole windows by a slot number: slots are unpacked by constants.
  wire [WINDOW_BITS-1:0] slots[0:WINDOW_SLOTS-1];
  genvar s;
  generate
    for (s = 0; s < WINDOW_SLOTS; s = s + 1) begin : unpack
      assign slots[s] = window[(s+1)*WINDOW_BITS-1:s*WINDOW_BITS];
    end
  endgenerate
  assign slot_window = slots[read_slot];
endmodule

`default_nettype wire
