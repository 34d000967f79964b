// Activation windows of one lane (SPEC section 3): SLOTS slots of KNEADING_STRIDE activations, shared by UNITS units.
//
//   UNITS              units that read the lane's windows
//   KNEADING_STRIDE    activations per window (KS)
//   ACTIVATION_BITS    magnitude bits of an activation; on the port a two's complement number of one bit more
//   WINDOW_SLOTS       slots (D)
//   WINDOW_LOAD_CYCLES cycles that the port takes per window
//
// in_ready = count != WINDOW_SLOTS, registered: loaded at t, readable at t + 1. The head slot is freed when all active
// units have passed it, and can be loaded again in the next cycle. A unit that is not active holds nobody up. Where each
// unit stands is told by its window_reader.
`default_nettype none

module activation_window #(
    parameter UNITS = 16,
    parameter KNEADING_STRIDE = 16,
    parameter ACTIVATION_BITS = 15,
    parameter WINDOW_SLOTS = 2,
    parameter WINDOW_LOAD_CYCLES = 1,
    parameter WINDOW_BITS = KNEADING_STRIDE * (ACTIVATION_BITS + 1),
    parameter COUNT_BITS = $clog2(WINDOW_SLOTS + 1),
    parameter INDEX_BITS = WINDOW_SLOTS > 1 ? $clog2(WINDOW_SLOTS) : 1
) (
    input  wire                                clk,
    input  wire                                rst,
    input  wire [                   UNITS-1:0] unit_active,
    input  wire                                in_valid,
    output wire                                in_ready,
    input  wire [             WINDOW_BITS-1:0] in_window,
    // All slots, and how many of them hold a window, for the readers of the units.
    output wire [WINDOW_SLOTS*WINDOW_BITS-1:0] window,
    output reg  [              COUNT_BITS-1:0] window_count,
    // Slot of the head window after the coming edge.
    output wire [              INDEX_BITS-1:0] next_head,
    // Whether the head window lies behind each unit at the coming edge; `free`: it goes at that edge.
    input  wire [                   UNITS-1:0] passed,
    output wire                                free
);
  localparam LAST = WINDOW_SLOTS - 1;
  localparam FULL = WINDOW_SLOTS;
  localparam TIMER_BITS = WINDOW_LOAD_CYCLES > 1 ? $clog2(WINDOW_LOAD_CYCLES) : 1;
  localparam LOAD_WAIT = WINDOW_LOAD_CYCLES - 1;

  reg [INDEX_BITS-1:0] window_head;
  reg [INDEX_BITS-1:0] window_tail;
  reg [TIMER_BITS-1:0] load_timer;

  assign in_ready = window_count != FULL[COUNT_BITS-1:0] && load_timer == {TIMER_BITS{1'b0}};
  wire load = in_valid && in_ready;
  // `passed` implies that the head window is there; a lane without active units frees nothing.
  assign next_head = !free ? window_head
      : window_head == LAST[INDEX_BITS-1:0] ? {INDEX_BITS{1'b0}} : window_head + 1'b1;
  assign free = &(passed | ~unit_active) && |unit_active;

  always @(posedge clk) begin
    if (rst) begin
      window_count <= {COUNT_BITS{1'b0}};
      window_head  <= {INDEX_BITS{1'b0}};
      window_tail  <= {INDEX_BITS{1'b0}};
      load_timer   <= {TIMER_BITS{1'b0}};
    end else begin
      if (load && !free) window_count <= window_count + 1'b1;
      else if (!load && free) window_count <= window_count - 1'b1;
      if (load) window_tail <= window_tail == LAST[INDEX_BITS-1:0] ? {INDEX_BITS{1'b0}} : window_tail + 1'b1;
      window_head <= next_head;
      if (load) load_timer <= LOAD_WAIT[TIMER_BITS-1:0];
      else if (load_timer != {TIMER_BITS{1'b0}}) load_timer <= load_timer - 1'b1;
    end
  end

  genvar s;
  generate
    for (s = 0; s < WINDOW_SLOTS; s = s + 1) begin : slot
      localparam [INDEX_BITS-1:0] OWN = s;
      reg [WINDOW_BITS-1:0] activations;
      // Storage needs no reset: what is read has been written.
      always @(posedge clk) if (load && window_tail == OWN) activations <= in_window;
      assign window[(s+1)*WINDOW_BITS-1:s*WINDOW_BITS] = activations;
    end
  endgenerate
endmodule

`default_nettype wire
