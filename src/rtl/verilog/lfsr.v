// Linear feedback shift register that draws for stochastic pruning (SPEC section 5). Twin of src/sparse/lfsr.ts.
//
// One shift, in Galois form, towards bit 0: the bit that leaves is XORed, after the shift, into each bit that is set in
// POLYNOMIAL; bit i of it stands for x^(i+1). One clock is SHIFTS shifts, unrolled into one XOR network; SHIFTS is the
// least number from WIDTH up that has no factor in common with the period 2^WIDTH - 1, so that all bits are new.
//
// Parameters: WIDTH of the register, 8 to 32 bits; POLYNOMIAL, maximal at that width.
//
// Timing: `state` is the register. `load` puts `seed` into it, else `step` clocks it once; 0 stays 0.
`default_nettype none

module lfsr #(
  parameter WIDTH = 16,
  parameter [31:0] POLYNOMIAL = 32'h9e37
) (
  input  wire             clk,
  input  wire             rst,
  input  wire             load,
  input  wire [WIDTH-1:0] seed,
  input  wire             step,
  output reg  [WIDTH-1:0] state
);
  // Greatest common divisor by 64 steps of Euclid, more than numbers of 32 bits need.
  function [63:0] common(input [63:0] a, input [63:0] b);
    reg [63:0] larger, smaller, rest;
    integer n;
    begin
      larger = a;
      smaller = b;
      for (n = 0; n < 64; n = n + 1)
        if (smaller != 64'd0) begin
          rest = larger % smaller;
          larger = smaller;
          smaller = rest;
        end
      common = larger;
    end
  endfunction

  // 32 numbers in a row are enough: a period of at most 32 bits has few small factors.
  function [63:0] least_shifts(input [31:0] width);
    integer n;
    begin
      least_shifts = {32'd0, width};
      for (n = 0; n < 32; n = n + 1)
        if (common((64'd1 << width) - 64'd1, least_shifts) != 64'd1) least_shifts = least_shifts + 64'd1;
    end
  endfunction

  localparam [63:0] SHIFTS = least_shifts(WIDTH);

  function [WIDTH-1:0] clocked(input [WIDTH-1:0] now);
    integer n;
    begin
      clocked = now;
      for (n = 0; n < SHIFTS[31:0]; n = n + 1)
        clocked = {1'b0, clocked[WIDTH-1:1]} ^ (clocked[0] ? POLYNOMIAL[WIDTH-1:0] : {WIDTH{1'b0}});
    end
  endfunction

  always @(posedge clk)
    if (rst) state <= {WIDTH{1'b0}};
    else if (load) state <= seed;
    else if (step) state <= clocked(state);
endmodule

`default_nettype wire
