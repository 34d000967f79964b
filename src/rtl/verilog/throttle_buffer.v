// Throttle buffer of one unit and lane (SPEC section 3): a queue of DEPTH kneaded words in front of a SAC lane.
//
//   WIDTH  bits of a word
//   DEPTH  words; 0 wires the port through
//
// in_ready = count != DEPTH, from registered state alone; there is no bypass: a word pushed at t is visible at t + 1,
// so DEPTH = 1 takes a word in every second cycle only.
`default_nettype none

module throttle_buffer #(
    parameter WIDTH = 92,
    parameter DEPTH = 4
) (
    // A port that is wired through has no state.
    // verilator lint_off UNUSED
    input  wire             clk,
    input  wire             rst,
    // verilator lint_on UNUSED
    input  wire             in_valid,
    output wire             in_ready,
    input  wire [WIDTH-1:0] in_word,
    output wire             out_valid,
    input  wire             out_take,
    output wire [WIDTH-1:0] out_word
);
  generate
    if (DEPTH == 0) begin : wired
      assign in_ready  = out_take;
      assign out_valid = in_valid;
      assign out_word  = in_word;
    end else begin : queue
      localparam COUNT_BITS = $clog2(DEPTH + 1);
      localparam INDEX_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1;
      localparam LAST = DEPTH - 1;
      localparam FULL = DEPTH;

      reg [WIDTH-1:0] word[0:DEPTH-1];
      reg [INDEX_BITS-1:0] head;
      reg [INDEX_BITS-1:0] tail;
      reg [COUNT_BITS-1:0] throttle_count;
      wire push = in_valid && in_ready;

      assign in_ready  = throttle_count != FULL[COUNT_BITS-1:0];
      assign out_valid = throttle_count != {COUNT_BITS{1'b0}};
      assign out_word  = word[head];

      always @(posedge clk) begin
        if (rst) begin
          head <= {INDEX_BITS{1'b0}};
          tail <= {INDEX_BITS{1'b0}};
          throttle_count <= {COUNT_BITS{1'b0}};
        end else begin
          if (push) tail <= tail == LAST[INDEX_BITS-1:0] ? {INDEX_BITS{1'b0}} : tail + 1'b1;
          if (out_take) head <= head == LAST[INDEX_BITS-1:0] ? {INDEX_BITS{1'b0}} : head + 1'b1;
          if (push && !out_take) throttle_count <= throttle_count + 1'b1;
          else if (!push && out_take) throttle_count <= throttle_count - 1'b1;
        end
      end

      // Storage needs no reset: what is read has been written.
      always @(posedge clk) if (push) word[tail] <= in_word;
    end
  endgenerate
endmodule

`default_nettype wire
