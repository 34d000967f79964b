// The two row buffers of a PE group (SPEC section 6): sums of two rows, to which row PEs add what they retire, without
// port conflicts, while the other row is drained. What has not been filled reads as zero, so storage is never cleared:
// only its flags are.
//
// Parameters: WIDTH sums per row; ADDERS additions per cycle, to any buffers and columns, equal ones too; SUM_BITS;
// PASS_WIDTH columns of a row that can leave past the PPU at once (gradWeight: as wide as a kernel row).
//
// Timing: `drain_sum` is what was filled up to the cycle before; `drain` empties that place at the edge. `pass_sums` is
// the row of `pass_buffer` with the additions of this cycle; `pass` empties that buffer at the edge.
`default_nettype none

module row_buffers #(
  parameter WIDTH = 8,
  parameter ADDERS = 3,
  parameter SUM_BITS = 40,
  parameter PASS_WIDTH = 3
) (
  input  wire                             clk,
  input  wire                             rst,
  input  wire [ADDERS-1:0]                add_valid,
  input  wire [ADDERS-1:0]                add_buffer,
  input  wire [ADDERS*$clog2(WIDTH < 2 ? 2 : WIDTH)-1:0] add_column,
  input  wire [ADDERS*SUM_BITS-1:0]       add_value,
  input  wire                             drain,
  input  wire                             drain_buffer,
  input  wire [$clog2(WIDTH < 2 ? 2 : WIDTH)-1:0]       drain_column,
  output wire signed [SUM_BITS-1:0]       drain_sum,
  input  wire                             pass,
  input  wire                             pass_buffer,
  output wire [PASS_WIDTH*SUM_BITS-1:0]   pass_sums
);
  localparam C = $clog2(WIDTH < 2 ? 2 : WIDTH);
  // Buffer b, column c lies at {b, c}.
  localparam PLACES = 2 << C;

  reg [SUM_BITS-1:0] sums [0:PLACES-1];
  reg [PLACES-1:0] filled;

  wire [C:0] drain_at = {drain_buffer, drain_column};
  assign drain_sum = filled[drain_at] ? sums[drain_at] : {SUM_BITS{1'b0}};

  // Additions to one place in one cycle are summed, and each of their ports writes the same total.
  wire [ADDERS*(C+1)-1:0] at;
  wire [ADDERS*SUM_BITS-1:0] total;
  genvar a;
  generate
    for (a = 0; a < ADDERS; a = a + 1) begin : adder
      wire [C:0] own = {add_buffer[a], add_column[a*C +: C]};
      assign at[a*(C+1) +: C+1] = own;
      reg [SUM_BITS-1:0] sum;
      integer other;
      always @* begin
        sum = {SUM_BITS{1'b0}};
        for (other = 0; other < ADDERS; other = other + 1)
          if (add_valid[other] && own == at[other*(C+1) +: C+1]) sum = sum + add_value[other*SUM_BITS +: SUM_BITS];
      end
      wire [SUM_BITS-1:0] held = filled[own] ? sums[own] : {SUM_BITS{1'b0}};
      assign total[a*SUM_BITS +: SUM_BITS] = held + sum;
    end
  endgenerate

  genvar p;
  generate
    for (p = 0; p < PASS_WIDTH; p = p + 1) begin : passing
      localparam [C-1:0] COLUMN = p;
      wire [C:0] own = {pass_buffer, COLUMN};
      wire [SUM_BITS-1:0] held = filled[own] ? sums[own] : {SUM_BITS{1'b0}};
      reg [SUM_BITS-1:0] sum;
      integer other;
      always @* begin
        sum = held;
        for (other = 0; other < ADDERS; other = other + 1)
          if (add_valid[other] && at[other*(C+1) +: C+1] == own)
            sum = sum + add_value[other*SUM_BITS +: SUM_BITS];
      end
      assign pass_sums[p*SUM_BITS +: SUM_BITS] = sum;
    end
  endgenerate

  integer w;
  always @(posedge clk)
    for (w = 0; w < ADDERS; w = w + 1)
      if (add_valid[w]) sums[at[w*(C+1) +: C+1]] <= total[w*SUM_BITS +: SUM_BITS];

  integer f;
  always @(posedge clk)
    if (rst) filled <= {PLACES{1'b0}};
    else begin
      for (f = 0; f < ADDERS; f = f + 1)
        if (add_valid[f]) filled[at[f*(C+1) +: C+1]] <= 1'b1;
      if (drain) filled[drain_at] <= 1'b0;
      if (pass) begin
        if (pass_buffer) filled[PLACES-1:PLACES/2] <= {(PLACES/2){1'b0}};
        else filled[PLACES/2-1:0] <= {(PLACES/2){1'b0}};
      end
    end
endmodule

`default_nettype wire
