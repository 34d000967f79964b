// One lane of the dense MAC PE of DaDianNao (SPEC section 4): a multiplier with a registered product.
//
// Parameters
//   MAGNITUDE_BITS   bits of a weight's magnitude: 7 for int8, 15 for int16
//   ACTIVATION_BITS  bits of an activation's magnitude
//
// Ports: both operands are two's complement of one bit more than their magnitude. The codes of
// -2^bits have no sign-magnitude form (SPEC section 1) and never come.
// Timing: operands at an edge with `enable` are the product after it.
`default_nettype none

module mac_lane #(
  parameter MAGNITUDE_BITS = 7,
  parameter ACTIVATION_BITS = 7
) (
  input wire clk,
  input wire enable,
  input wire signed [MAGNITUDE_BITS:0] weight,
  input wire signed [ACTIVATION_BITS:0] activation,
  output reg signed [MAGNITUDE_BITS+ACTIVATION_BITS:0] product
);

  always @(posedge clk)
    if (enable) product <= weight * activation;

endmodule

`default_nettype wire
