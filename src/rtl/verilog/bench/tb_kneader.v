// Bench of kneader: offers groups and masks and takes words as a stimulus file says, and prints one line per cycle, sampled
// before the clock edge:
//
//   cycle acceptedGroup acceptedMask wordValid wordFired [word]
//
// The cycle is decimal, all else hex. With +registers the line goes on with ` | ` and the registers of the kneader while it
// holds a group, else with `-`: flush, signs, planes from column 0 up.
//
// Stimulus (+stimulus=PATH), tokens: cycle limit, words with a pass mark that will leave (decimal); the number of groups, and
// for each its flush, signs and magnitudes (hex, code 0 lowest); the number of masks and the masks (hex); the number of ready
// rows and the rows (hex: group, mask, word from bit 0 up). After the last row all ports are ready.
`default_nettype none

module tb_kneader;
  parameter MAGNITUDE_BITS = 7;
  parameter KNEADING_STRIDE = 4;
  // Groups, masks and rows that the bench can hold.
  parameter DEPTH = 1024;

  localparam POINTER_BITS = KNEADING_STRIDE > 1 ? $clog2(KNEADING_STRIDE) : 1;
  localparam WORD_BITS = 2 + MAGNITUDE_BITS * (2 + POINTER_BITS);

  reg clk = 1'b0;
  reg rst = 1'b1;
  reg group_valid = 1'b0;
  wire group_ready;
  reg mask_valid = 1'b0;
  wire mask_ready;
  wire word_valid;
  reg word_ready = 1'b0;
  wire [WORD_BITS-1:0] word;

  reg flushes[0:DEPTH-1];
  reg [KNEADING_STRIDE-1:0] signs[0:DEPTH-1];
  reg [KNEADING_STRIDE*MAGNITUDE_BITS-1:0] magnitudes[0:DEPTH-1];
  reg [KNEADING_STRIDE-1:0] masks[0:DEPTH-1];
  reg [2:0] rows[0:DEPTH-1];
  integer groups, group_at, mask_count, mask_at, row_count, limit, left, cycle, file, scanned, i;
  reg [8*1024-1:0] path;
  reg [2:0] ready;
  reg group_fired, mask_fired, word_fired, with_registers;
  wire [KNEADING_STRIDE-1:0] plane[0:MAGNITUDE_BITS-1];

  kneader #(
      .MAGNITUDE_BITS (MAGNITUDE_BITS),
      .KNEADING_STRIDE(KNEADING_STRIDE)
  ) dut (
      .clk             (clk),
      .rst             (rst),
      .group_valid     (group_valid),
      .group_ready     (group_ready),
      .group_signs     (signs[group_at]),
      .group_magnitudes(magnitudes[group_at]),
      .group_flush     (flushes[group_at]),
      .mask_valid      (mask_valid),
      .mask_ready      (mask_ready),
      .mask_bits       (masks[mask_at]),
      .word_valid      (word_valid),
      .word_ready      (word_ready),
      .word            (word)
  );

  genvar g;
  generate
    for (g = 0; g < MAGNITUDE_BITS; g = g + 1) begin : plane_view
      assign plane[g] = dut.column[g].kneader_plane;
    end
  endgenerate

  initial begin
    group_at = 0;
    mask_at = 0;
    with_registers = $test$plusargs("registers") != 0;
    if ($value$plusargs("stimulus=%s", path) == 0) begin
      $display("error: no +stimulus=PATH");
      $finish;
    end
    file = $fopen(path, "r");
    if (file == 0) begin
      $display("error: cannot open the stimulus");
      $finish;
    end
    scanned = $fscanf(file, "%d %d %d", limit, left, groups);
    for (i = 0; i < groups; i = i + 1)
      scanned = $fscanf(file, "%h %h %h", flushes[i], signs[i], magnitudes[i]);
    scanned = $fscanf(file, "%d", mask_count);
    for (i = 0; i < mask_count; i = i + 1) scanned = $fscanf(file, "%h", masks[i]);
    scanned = $fscanf(file, "%d", row_count);
    for (i = 0; i < row_count; i = i + 1) scanned = $fscanf(file, "%h", rows[i]);
    $fclose(file);
    #5 clk = 1'b1;
    #5 clk = 1'b0;
    rst = 1'b0;
    for (cycle = 0; left > 0 && cycle < limit; cycle = cycle + 1) begin
      ready = cycle < row_count ? rows[cycle] : 3'b111;
      group_valid = ready[0] && group_at < groups;
      mask_valid = ready[1] && mask_at < mask_count;
      word_ready = ready[2];
      // Everything combinational has settled when it is sampled.
      #5 group_fired = group_valid && group_ready;
      mask_fired = mask_valid && mask_ready;
      word_fired = word_valid && word_ready;
      $write("%0d %0h %0h %0h %0h", cycle, group_fired, mask_fired, word_valid, word_fired);
      if (word_fired) begin
        $write(" %0h", word);
        if (word[WORD_BITS-2]) left = left - 1;
      end
      if (with_registers && !word_valid) $write(" | -");
      if (with_registers && word_valid) begin
        $write(" | %0h %0h", dut.kneader_flush, dut.kneader_sign);
        for (i = 0; i < MAGNITUDE_BITS; i = i + 1) $write(" %0h", plane[i]);
      end
      $write("\n");
      clk = 1'b1;
      #1;
      if (group_fired) group_at = group_at + 1;
      if (mask_fired) mask_at = mask_at + 1;
      #4 clk = 1'b0;
    end
    if (left > 0) $display("error: cycle limit");
    $finish;
  end
endmodule

`default_nettype wire
