// Post-processing unit of a PE group (SPEC section 6; SparseTrain, arXiv:2007.13595): two row buffers, of which one is
// filled while the other is drained, one value per cycle, through ReLU or mask, sum of magnitudes, stochastic pruning
// (section 5) and compression. Twin of src/sim/ppu.ts.
//
// Parameters: WIDTH values per row at most; ADDERS sums that PEs add per cycle; SUM_BITS, signed; THRESHOLD_BITS, below
// SUM_BITS; LFSR_WIDTH and LFSR_POLYNOMIAL (see lfsr.v); ROW_BITS of a row's number; TOTAL_BITS of the sum of magnitudes,
// more than SUM_BITS; COUNT_BITS of the number of stored values; PASS_WIDTH of rows that leave past the unit.
//
// Configuration, held for a layer: last_column = width - 1; relu; keep_zeros (compression off); passes (gradWeight: rows
// leave past the unit). threshold_load loads the threshold, in the unit of the sums, and the first state of the LFSR.
//
// Timing:
//   row       a row that starts in this cycle gets the free buffer, row_buffer; ready if there is one
//   add       always taken; to a buffer that is being filled, also in the cycle in which its row starts
//   finish    the oldest row that is being filled has got its last value in this cycle. It is drained from the next
//             cycle on, or when the row before it is done; its buffer takes another in the cycle after its last value
//   mask      mask_live answers for {mask_row, mask_column} in the same cycle: 0 zeroes the value
//   out       registered; a value stays until it is taken. out_stored: it stands in the compressed row
//   passed    with `passes`, in the cycle of finish: the row's number and sums. Its buffer is free in the next cycle
`default_nettype none

module ppu #(
  parameter WIDTH = 8,
  parameter ADDERS = 3,
  parameter SUM_BITS = 40,
  parameter THRESHOLD_BITS = 37,
  parameter LFSR_WIDTH = 16,
  parameter [31:0] LFSR_POLYNOMIAL = 32'h9e37,
  parameter ROW_BITS = 16,
  parameter TOTAL_BITS = 53,
  parameter COUNT_BITS = 31,
  parameter PASS_WIDTH = 3
) (
  input  wire                              clk,
  input  wire                              rst,
  input  wire [$clog2(WIDTH < 2 ? 2 : WIDTH)-1:0]        last_column,
  input  wire                              relu,
  input  wire                              keep_zeros,
  input  wire                              passes,
  input  wire                              threshold_load,
  input  wire [THRESHOLD_BITS-1:0]         threshold_value,
  input  wire [LFSR_WIDTH-1:0]             threshold_seed,
  input  wire                              row_valid,
  output wire                              row_ready,
  input  wire [ROW_BITS-1:0]               row_number,
  output wire                              row_buffer,
  input  wire [ADDERS-1:0]                 add_valid,
  input  wire [ADDERS-1:0]                 add_buffer,
  input  wire [ADDERS*$clog2(WIDTH < 2 ? 2 : WIDTH)-1:0] add_column,
  input  wire [ADDERS*SUM_BITS-1:0]        add_value,
  input  wire                              finish,
  output wire [ROW_BITS-1:0]               mask_row,
  output wire [$clog2(WIDTH < 2 ? 2 : WIDTH)-1:0]        mask_column,
  input  wire                              mask_live,
  output reg                               out_valid,
  input  wire                              out_ready,
  output reg                               out_stored,
  output reg  [ROW_BITS-1:0]               out_row,
  output reg  [$clog2(WIDTH < 2 ? 2 : WIDTH)-1:0]        out_column,
  output reg  signed [SUM_BITS-1:0]        out_value,
  output reg  signed [SUM_BITS-1:0]        out_sum,
  output wire                              passed_valid,
  output wire [ROW_BITS-1:0]               passed_row,
  output wire [PASS_WIDTH*SUM_BITS-1:0]    passed_sums,
  output reg  [TOTAL_BITS-1:0]             magnitude,
  output reg  [COUNT_BITS-1:0]             stored,
  output wire                              busy
);
  localparam C = $clog2(WIDTH < 2 ? 2 : WIDTH);
  localparam [1:0] FREE = 2'd0, FILLING = 2'd1, FULL = 2'd2;

  // Of each buffer; then which is claimed next, finished next, drained now, and the column that is drained.
  reg [1:0] state_0, state_1;
  reg [ROW_BITS-1:0] row_0, row_1;
  reg claimed, finished, drained;
  reg [C-1:0] column;
  reg [THRESHOLD_BITS-1:0] threshold;

  wire claim = row_valid & row_ready;
  wire pass = finish & passes;
  wire advance = ~out_valid | out_ready;
  wire drain = advance && (drained ? state_1 : state_0) == FULL;
  wire ends = drain && column == last_column;
  assign row_ready = (claimed ? state_1 : state_0) == FREE;
  assign row_buffer = claimed;
  assign busy = state_0 != FREE || state_1 != FREE;

  // A row may start and be finished in one cycle.
  function [1:0] state_after(input [1:0] state, input starts, input finishes, input leaves);
    if (finishes) state_after = passes ? FREE : FULL;
    else if (starts) state_after = FILLING;
    else if (leaves) state_after = FREE;
    else state_after = state;
  endfunction

  always @(posedge clk)
    if (rst) begin
      state_0 <= FREE;
      state_1 <= FREE;
      claimed <= 1'b0;
      finished <= 1'b0;
      drained <= 1'b0;
      column <= {C{1'b0}};
    end else begin
      state_0 <= state_after(state_0, claim & ~claimed, finish & ~finished, ends & ~drained);
      state_1 <= state_after(state_1, claim & claimed, finish & finished, ends & drained);
      claimed <= claimed ^ claim;
      finished <= finished ^ finish;
      if (pass) drained <= ~finished;
      else drained <= drained ^ ends;
      if (drain) column <= ends ? {C{1'b0}} : column + 1'b1;
    end

  always @(posedge clk)
    if (claim) begin
      if (claimed) row_1 <= row_number;
      else row_0 <= row_number;
    end

  wire signed [SUM_BITS-1:0] sum;
  row_buffers #(.WIDTH(WIDTH), .ADDERS(ADDERS), .SUM_BITS(SUM_BITS), .PASS_WIDTH(PASS_WIDTH)) buffers (
    .clk(clk), .rst(rst),
    .add_valid(add_valid), .add_buffer(add_buffer), .add_column(add_column), .add_value(add_value),
    .drain(drain), .drain_buffer(drained), .drain_column(column), .drain_sum(sum),
    .pass(pass), .pass_buffer(finished), .pass_sums(passed_sums)
  );
  assign passed_valid = pass;
  assign passed_row = finished ? (claim & claimed ? row_number : row_1) : (claim & ~claimed ? row_number : row_0);

  // ReLU, mask and magnitude.
  assign mask_row = drained ? row_1 : row_0;
  assign mask_column = column;
  wire zeroed = (relu & sum[SUM_BITS-1]) | ~mask_live;
  wire signed [SUM_BITS-1:0] value = zeroed ? {SUM_BITS{1'b0}} : sum;
  wire negative = value[SUM_BITS-1];
  wire [SUM_BITS-1:0] size = negative ? -value : value;

  // Pruning: below the threshold a value becomes +-threshold if draw * threshold / 2^LFSR_WIDTH < size, else 0. As size is
  // a whole number, the fraction of the quotient has no say.
  wire [LFSR_WIDTH-1:0] draw;
  lfsr #(.WIDTH(LFSR_WIDTH), .POLYNOMIAL(LFSR_POLYNOMIAL)) draws (
    .clk(clk), .rst(rst), .load(threshold_load), .seed(threshold_seed), .step(drain), .state(draw)
  );
  // verilator lint_off UNUSEDSIGNAL
  // That is why the low bits are not used.
  wire [THRESHOLD_BITS+LFSR_WIDTH-1:0] scaled =
    {{THRESHOLD_BITS{1'b0}}, draw} * {{LFSR_WIDTH{1'b0}}, threshold};
  // verilator lint_on UNUSEDSIGNAL
  wire [SUM_BITS-1:0] bar = {{(SUM_BITS-THRESHOLD_BITS){1'b0}}, scaled[LFSR_WIDTH +: THRESHOLD_BITS]};
  wire [SUM_BITS-1:0] tau = {{(SUM_BITS-THRESHOLD_BITS){1'b0}}, threshold};
  wire keeps = size >= tau;
  wire snaps = bar < size;
  wire signed [SUM_BITS-1:0] pruned = keeps ? value : !snaps ? {SUM_BITS{1'b0}} : negative ? -tau : tau;
  wire stores = keep_zeros | (pruned != {SUM_BITS{1'b0}});

  always @(posedge clk)
    if (rst) begin
      threshold <= {THRESHOLD_BITS{1'b0}};
      magnitude <= {TOTAL_BITS{1'b0}};
      stored <= {COUNT_BITS{1'b0}};
      out_valid <= 1'b0;
    end else begin
      if (threshold_load) threshold <= threshold_value;
      if (advance) out_valid <= drain;
      if (drain) begin
        magnitude <= magnitude + {{(TOTAL_BITS-SUM_BITS){1'b0}}, size};
        stored <= stored + {{(COUNT_BITS-1){1'b0}}, stores};
      end
    end

  always @(posedge clk)
    if (drain) begin
      out_stored <= stores;
      out_row <= mask_row;
      out_column <= column;
      out_value <= pruned;
      out_sum <= sum;
    end
endmodule

`default_nettype wire
