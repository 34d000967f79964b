// Split-and-accumulate PE of Tetris (SPEC section 3; arXiv:1811.06841): UNITS units of LANES lanes, each unit and lane
// behind its throttle buffer, all units of a lane on shared activation windows.
//
//   UNITS, LANES        units (filters) and lanes
//   MAGNITUDE_BITS      magnitude bits of a weight (B)
//   ACTIVATION_BITS     magnitude bits of an activation; on the port two's complement of one bit more
//   KNEADING_STRIDE     activations per window (KS)
//   WINDOW_SLOTS        windows per lane (D)
//   THROTTLE_WORDS      words per throttle buffer (TD); 0 wires the word port through
//   BARRIER             1: sync = barrier, 0: sync = skew
//   WINDOW_LOAD_CYCLES  cycles that a lane's window port takes per window
//   SEGMENT_BITS        width of a segment; SUM_BITS of an output
//
// Stream n * LANES + l is unit n, lane l. A lane without items counts as flushed, a unit without a filter as having passed
// every window. PEs of an array meet at the end of a block of work: a unit that is done with its share is held, and takes
// no word, until the array begins the next block; masks may change where all units are held.
`default_nettype none

module sac_pe #(
    parameter UNITS = 16,
    parameter LANES = 16,
    parameter MAGNITUDE_BITS = 15,
    parameter ACTIVATION_BITS = 15,
    parameter KNEADING_STRIDE = 16,
    parameter WINDOW_SLOTS = 2,
    parameter THROTTLE_WORDS = 4,
    parameter BARRIER = 0,
    parameter WINDOW_LOAD_CYCLES = 1,
    parameter SEGMENT_BITS = 32,
    parameter SUM_BITS = SEGMENT_BITS + MAGNITUDE_BITS,
    parameter WORD_BITS =
        2 + MAGNITUDE_BITS * (2 + (KNEADING_STRIDE > 1 ? $clog2(KNEADING_STRIDE) : 1)),
    parameter WINDOW_BITS = KNEADING_STRIDE * (ACTIVATION_BITS + 1)
) (
    input  wire                             clk,
    input  wire                             rst,
    input  wire [                UNITS-1:0] unit_active,
    input  wire [                UNITS-1:0] unit_hold,
    input  wire [                LANES-1:0] lane_active,
    input  wire [          UNITS*LANES-1:0] word_valid,
    output wire [          UNITS*LANES-1:0] word_ready,
    input  wire [UNITS*LANES*WORD_BITS-1:0] word_data,
    input  wire [                LANES-1:0] window_valid,
    output wire [                LANES-1:0] window_ready,
    input  wire [    LANES*WINDOW_BITS-1:0] window_data,
    output wire [                UNITS-1:0] out_valid,
    input  wire [                UNITS-1:0] out_ready,
    output wire [       UNITS*SUM_BITS-1:0] out_value
);
  localparam COUNT_BITS = $clog2(WINDOW_SLOTS + 1);
  localparam INDEX_BITS = WINDOW_SLOTS > 1 ? $clog2(WINDOW_SLOTS) : 1;

  genvar n, l;
  generate
    for (l = 0; l < LANES; l = l + 1) begin : lane
      wire [WINDOW_SLOTS*WINDOW_BITS-1:0] window;
      wire [COUNT_BITS-1:0] window_count;
      wire [UNITS-1:0] passed;
      wire [INDEX_BITS-1:0] next_head;
      wire free;
      activation_window #(
          .UNITS             (UNITS),
          .KNEADING_STRIDE   (KNEADING_STRIDE),
          .ACTIVATION_BITS   (ACTIVATION_BITS),
          .WINDOW_SLOTS      (WINDOW_SLOTS),
          .WINDOW_LOAD_CYCLES(WINDOW_LOAD_CYCLES)
      ) windows (
          .clk         (clk),
          .rst         (rst),
          .unit_active (unit_active),
          .in_valid    (window_valid[l]),
          .in_ready    (window_ready[l]),
          .in_window   (window_data[(l+1)*WINDOW_BITS-1:l*WINDOW_BITS]),
          .window      (window),
          .window_count(window_count),
          .next_head   (next_head),
          .passed      (passed),
          .free        (free)
      );
      for (n = 0; n < UNITS; n = n + 1) begin : passes
        assign passed[n] = unit[n].stream[l].passed;
      end
    end

    for (n = 0; n < UNITS; n = n + 1) begin : unit
      wire [LANES-1:0] head_valid;
      wire [LANES*WORD_BITS-1:0] head;
      wire [LANES-1:0] slot_valid;
      wire [LANES*WINDOW_BITS-1:0] window;
      wire [LANES-1:0] accept;
      wire [LANES-1:0] pass;
      for (l = 0; l < LANES; l = l + 1) begin : stream
        localparam I = n * LANES + l;
        throttle_buffer #(
            .WIDTH(WORD_BITS),
            .DEPTH(THROTTLE_WORDS)
        ) throttle (
            .clk      (clk),
            .rst      (rst),
            .in_valid (word_valid[I]),
            .in_ready (word_ready[I]),
            .in_word  (word_data[(I+1)*WORD_BITS-1:I*WORD_BITS]),
            .out_valid(head_valid[l]),
            .out_take (accept[l]),
            .out_word (head[(l+1)*WORD_BITS-1:l*WORD_BITS])
        );
        wire passed;
        wire reader_valid;
        window_reader #(
            .WINDOW_BITS (WINDOW_BITS),
            .WINDOW_SLOTS(WINDOW_SLOTS),
            .BARRIER     (BARRIER)
        ) reader (
            .clk         (clk),
            .rst         (rst),
            .active      (unit_active[n]),
            .window_count(lane[l].window_count),
            .next_head   (lane[l].next_head),
            .window      (lane[l].window),
            .pass        (pass[l]),
            .free        (lane[l].free && unit_active[n]),
            .passed      (passed),
            .slot_valid  (reader_valid),
            .slot_window (window[(l+1)*WINDOW_BITS-1:l*WINDOW_BITS])
        );
        assign slot_valid[l] = unit_active[n] && !unit_hold[n] && reader_valid;
      end
      sac_unit #(
          .LANES          (LANES),
          .MAGNITUDE_BITS (MAGNITUDE_BITS),
          .ACTIVATION_BITS(ACTIVATION_BITS),
          .KNEADING_STRIDE(KNEADING_STRIDE),
          .SEGMENT_BITS   (SEGMENT_BITS),
          .SUM_BITS       (SUM_BITS)
      ) sac (
          .clk        (clk),
          .rst        (rst),
          .lane_active(lane_active),
          .word_valid (head_valid),
          .word       (head),
          .slot_valid (slot_valid),
          .window     (window),
          .accept     (accept),
          .pass       (pass),
          .out_valid  (out_valid[n]),
          .out_ready  (out_ready[n]),
          .out_value  (out_value[(n+1)*SUM_BITS-1:n*SUM_BITS])
      );
    end
  endgenerate
endmodule

`default_nettype wire
