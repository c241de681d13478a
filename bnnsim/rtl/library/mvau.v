// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Matrix-vector-activation unit: PE rows by SIMD columns a cycle.
//
// Program of an input vector: for nf in NEURON_FOLD, for sf in SYNAPSE_FOLD: read a word where nf = 0 (the
// vector is kept and used again), write a word where sf is the last. VECTORS vectors a frame, the groups of
// a pixel one after the other, or GROUP_LANES side by side and such sets after one another; GROUPS counts
// these, MATRIX_HEIGHT their rows.
//
// Row nf * PE + p is PE p's. Stages: operand and weights; the lanes' sum; the accumulator; what fires; from
// there the word waits for the exit. Binary lanes count matches; a bipolar operand gives the sign of the
// other number; else lanes multiply. Thresholds fire where the sum is as large or larger.
//
// With WEIGHTS_STREAM a second input brings a word of weights for every step. Where a vector is used again
// the first input has a register for a word taken ahead, which can be passed by.

module mvau #(
    parameter PE              = 1,
    parameter SIMD            = 1,
    parameter MATRIX_HEIGHT   = 1,
    parameter MATRIX_WIDTH    = 1,
    parameter VECTORS         = 1,
    parameter GROUPS          = 1,
    parameter GROUP_LANES     = 1, // groups side by side, each with its PEs and its part of the word
    parameter CHANNEL_BLOCK   = SIMD, // a group's channels of a pixel
    parameter WEIGHT_BITS     = 1,
    parameter WEIGHT_SIGNED   = 1,
    parameter WEIGHT_BIPOLAR  = 1,
    parameter WEIGHTS_STREAM  = 0, // no memory: the second input
    parameter INPUT_BITS      = 1,
    parameter INPUT_BIPOLAR   = 1,
    parameter INPUT_SIGNED    = 0,
    parameter SUM_BITS        = 1, // of the accumulator; unsigned where it counts matches
    parameter THRESHOLDS      = 1, // 0: the sums go out
    parameter THRESHOLD_BITS  = 1, // signed as the sums are
    parameter LOWEST          = 0,
    parameter DOTS            = 0, // sums of matches go out as dot products
    parameter OUTPUT_BITS     = 1,
    parameter WEIGHT_MEMORIES = 1, // or one a PE
    parameter CODEBOOK        = 0, // kernels that are kept once: weight memories hold their numbers
    parameter TAPS            = 1, // of a kernel, a step's lanes being of one
    parameter NUMBER_BITS     = 1,
    parameter TAP_STEPS       = 1, // with the same tap, one after the other
    parameter QUEUES          = 0, // a one-word queue behind the exit
    parameter PIPELINE_DEPTH  = 6,
    parameter FREEZES         = 0,
    parameter FRAME_BITS      = 32,
    parameter WEIGHTS_FILE    = "weights",
    parameter THRESHOLDS_FILE = "thresholds",
    parameter CODEBOOK_FILE   = "codebook"
) (
    input  wire                       clk,
    input  wire                       rst,
    input  wire [FRAME_BITS-1:0]      frames,
    input  wire [WEIGHTS_STREAM:0]    in_valid,
    output wire [WEIGHTS_STREAM:0]    in_ready,
    input  wire [GROUP_LANES*SIMD*INPUT_BITS+WEIGHTS_STREAM*PE*SIMD*WEIGHT_BITS-1:0] in_data,
    output wire                       out_valid,
    input  wire                       out_ready,
    output wire [PE*OUTPUT_BITS-1:0]  out_data
);
    localparam integer SYNAPSE_FOLD = MATRIX_WIDTH / SIMD;
    localparam integer NEURON_FOLD  = MATRIX_HEIGHT / PE;
    localparam integer DEPTH_WORDS  = SYNAPSE_FOLD * NEURON_FOLD * GROUPS / (CODEBOOK > 0 ? TAPS : 1);
    localparam integer FOLDS        = NEURON_FOLD * GROUPS;
    localparam integer SF_BITS      = SYNAPSE_FOLD > 1 ? $clog2(SYNAPSE_FOLD) : 1;
    localparam integer NF_BITS      = NEURON_FOLD > 1 ? $clog2(NEURON_FOLD) : 1;
    localparam integer DEPTH_BITS   = DEPTH_WORDS > 1 ? $clog2(DEPTH_WORDS) : 1;
    localparam integer LAST_SF      = SYNAPSE_FOLD - 1;
    localparam integer LAST_NF      = NEURON_FOLD - 1;
    localparam integer LAST_WORD    = DEPTH_WORDS - 1;
    localparam integer WORD_BITS    = GROUP_LANES * SIMD * INPUT_BITS;
    localparam integer GROUP_PES    = PE / GROUP_LANES;
    localparam integer BLOCKS       = SIMD / CHANNEL_BLOCK; // pixels of a word
    localparam integer BLOCK_BITS   = CHANNEL_BLOCK * INPUT_BITS;
    localparam integer ROW_BITS     = SIMD * WEIGHT_BITS;
    localparam integer IS_BINARY    = WEIGHT_BIPOLAR != 0 & INPUT_BIPOLAR != 0 ? 1 : 0;
    localparam integer HAS_SIGNS    = WEIGHT_BIPOLAR != 0 | INPUT_BIPOLAR != 0 ? 1 : 0;

    // ---- the program ----
    reg  [SF_BITS-1:0]      sf;
    reg  [NF_BITS-1:0]      nf;
    reg  [DEPTH_BITS-1:0]   address; // of the weights
    wire                    goes_back; // to the same kernels' next tap
    localparam integer      BACK = TAP_STEPS - 1;
    wire                    first_sf = sf == {SF_BITS{1'b0}};
    wire                    last_sf  = sf == LAST_SF[SF_BITS-1:0];
    wire                    first_nf = nf == {NF_BITS{1'b0}};
    wire                    last_nf  = nf == LAST_NF[NF_BITS-1:0];
    wire                    run_over, step, advance;
    wire [PIPELINE_DEPTH:0] full;
    wire                    exit_valid, exit_ready;

    frame_end #(.PASSES(VECTORS), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(step & last_sf & last_nf), .run_over(run_over));

    wire                    reads = WEIGHTS_STREAM != 0 | first_nf;
    wire [WEIGHTS_STREAM:0] word_valid, word_ready;
    wire [WORD_BITS-1:0]    vector_word;

    pipeline_control #(
        .PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(FREEZES), .INPUTS(WEIGHTS_STREAM + 1)
    ) control (
        .clk(clk), .rst(rst), .reads(reads), .writes(last_sf), .run_over(run_over),
        .in_valid(word_valid), .in_ready(word_ready), .out_valid(exit_valid), .out_ready(exit_ready),
        .step(step), .advance(advance), .full(full));

    generate
        if (WEIGHTS_STREAM != 0) begin : beside
            assign word_valid[WEIGHTS_STREAM] = in_valid[WEIGHTS_STREAM];
            assign in_ready[WEIGHTS_STREAM]   = word_ready[WEIGHTS_STREAM];
        end
        if (WEIGHTS_STREAM != 0 & NEURON_FOLD > 1) begin : turns_of_vectors
            wire taken, reads_ahead, ahead_valid, ahead_ready, unused_advance, fold_ends;
            wire [0:0] unused_stage;
            reg  in_first; // the neuron fold of the word taken ahead is the first
            wire vector_ends;
            turns #(.COUNT(SYNAPSE_FOLD)) words (.clk(clk), .rst(rst), .next(taken), .last(fold_ends));
            turns #(.COUNT(NEURON_FOLD)) folds (
                .clk(clk), .rst(rst), .next(taken & fold_ends), .last(vector_ends));
            always @(posedge clk)
                if (rst) in_first <= 1'b1;
                else if (taken & fold_ends) in_first <= vector_ends;
            assign reads_ahead = in_first;
            pipeline_control #(.PIPELINE_DEPTH(0), .FREEZES(1)) ahead_control (
                .clk(clk), .rst(rst), .reads(reads_ahead), .writes(1'b1), .run_over(1'b0),
                .in_valid(in_valid[0]), .in_ready(in_ready[0]),
                .out_valid(ahead_valid), .out_ready(ahead_ready),
                .step(taken), .advance(unused_advance), .full(unused_stage));
            queue #(.WIDTH_BITS(WORD_BITS)) ahead (
                .clk(clk), .rst(rst), .in_valid(ahead_valid), .in_ready(ahead_ready),
                .in_data(in_data[WORD_BITS-1:0]),
                .out_valid(word_valid[0]), .out_ready(word_ready[0]), .out_data(vector_word));
        end else begin : as_it_comes
            assign word_valid[0] = in_valid[0];
            assign in_ready[0]   = word_ready[0];
            assign vector_word   = in_data[WORD_BITS-1:0];
        end
    endgenerate

    always @(posedge clk)
        if (rst) begin
            sf      <= {SF_BITS{1'b0}};
            nf      <= {NF_BITS{1'b0}};
            address <= {DEPTH_BITS{1'b0}};
        end else if (step) begin
            sf      <= last_sf ? {SF_BITS{1'b0}} : sf + 1'b1;
            if (last_sf) nf <= last_nf ? {NF_BITS{1'b0}} : nf + 1'b1;
            if (goes_back) address <= address - BACK[DEPTH_BITS-1:0];
            else address <= address == LAST_WORD[DEPTH_BITS-1:0] ? {DEPTH_BITS{1'b0}} : address + 1'b1;
        end

    // Whether stages 1 and 2 hold a step, and whether it is the first of its neuron fold.
    reg [2:1] is_step;
    reg [2:1] is_first;
    always @(posedge clk)
        if (rst) is_step <= 2'b00;
        else if (advance) is_step <= {is_step[1], step};
    always @(posedge clk) if (advance) is_first <= {is_first[1], first_sf};

    // ---- stage 1: the operand, from the stream or from the kept vector, and the weights ----
    reg  [WORD_BITS-1:0]   operand;
    wire [PE*ROW_BITS-1:0] weights;

    generate
        if (NEURON_FOLD == 1 | SYNAPSE_FOLD == 1) begin : nothing_kept
            always @(posedge clk) if (step & first_nf) operand <= vector_word;
        end else if (SYNAPSE_FOLD <= 64) begin : kept_distributed
            (* ram_style = "distributed" *) reg [WORD_BITS-1:0] kept [0:SYNAPSE_FOLD-1];
            always @(posedge clk) if (step & first_nf) kept[sf] <= vector_word;
            always @(posedge clk) if (step) operand <= first_nf ? vector_word : kept[sf];
        end else begin : kept_in_block
            (* ram_style = "block" *) reg [WORD_BITS-1:0] kept [0:SYNAPSE_FOLD-1];
            always @(posedge clk)
                if (step) begin
                    if (first_nf) begin
                        kept[sf] <= vector_word;
                        operand  <= vector_word;
                    end else operand <= kept[sf];
                end
        end
    endgenerate

    generate
        if (CODEBOOK > 0) begin : book
            localparam integer TAP_BITS = $clog2(TAPS);
            localparam integer LAST_TAP = TAPS - 1;
            reg  [TAP_BITS-1:0]            tap, read_tap;
            wire [PE*SIMD*NUMBER_BITS-1:0] numbers;
            wire                           steps_end;
            wire                           last_tap = tap == LAST_TAP[TAP_BITS-1:0];
            turns #(.COUNT(TAP_STEPS)) steps (.clk(clk), .rst(rst), .next(step), .last(steps_end));
            assign goes_back = steps_end & !last_tap;
            always @(posedge clk)
                if (rst) tap <= {TAP_BITS{1'b0}};
                else if (step & steps_end) tap <= last_tap ? {TAP_BITS{1'b0}} : tap + 1'b1;
            always @(posedge clk) if (step) read_tap <= tap;
            weight_memory #(
                .PE(PE), .ROW_BITS(SIMD * NUMBER_BITS), .MEMORIES(WEIGHT_MEMORIES),
                .DEPTH_WORDS(DEPTH_WORDS), .ADDRESS_BITS(DEPTH_BITS), .FILE(WEIGHTS_FILE)
            ) memory (.clk(clk), .read(step), .address(address), .rows(numbers));
            kernel_taps #(
                .LANES(PE * SIMD), .TAPS(TAPS), .NUMBER_BITS(NUMBER_BITS), .TAP_BITS(TAP_BITS),
                .FILE(CODEBOOK_FILE)
            ) taps (.numbers(numbers), .tap(read_tap), .weights(weights));
        end else if (WEIGHTS_STREAM != 0) begin : streamed
            reg [PE*ROW_BITS-1:0] word;
            assign goes_back = 1'b0;
            assign weights   = word;
            always @(posedge clk) if (step) word <= in_data[WORD_BITS +: PE*ROW_BITS];
            wire unused_address = &address;
        end else begin : plain
            assign goes_back = 1'b0;
            weight_memory #(
                .PE(PE), .ROW_BITS(ROW_BITS), .MEMORIES(WEIGHT_MEMORIES), .DEPTH_WORDS(DEPTH_WORDS),
                .ADDRESS_BITS(DEPTH_BITS), .FILE(WEIGHTS_FILE)
            ) memory (.clk(clk), .read(step), .address(address), .rows(weights));
        end
    endgenerate

    genvar b, g, m, p, t;
    // What each group sees of the operand: pixel by pixel its own channels.
    wire [WORD_BITS-1:0] operands;
    generate
        for (g = 0; g < GROUP_LANES; g = g + 1) begin : group
            for (b = 0; b < BLOCKS; b = b + 1) begin : block
                assign operands[(g*BLOCKS+b)*BLOCK_BITS +: BLOCK_BITS] =
                    operand[(b*GROUP_LANES+g)*BLOCK_BITS +: BLOCK_BITS];
            end
        end
    endgenerate
    // ---- stages 2 and 3: lanes and accumulator of each PE ----
    wire [PE*SUM_BITS-1:0] sums;
    wire                   adds = is_step[1] & advance;
    wire                   accumulates = is_step[2] & advance;

    generate
        for (p = 0; p < PE; p = p + 1) begin : pe
            wire [ROW_BITS-1:0] row = weights[p*ROW_BITS +: ROW_BITS];
            wire [SIMD*INPUT_BITS-1:0] lane_operand =
                operands[p/GROUP_PES*SIMD*INPUT_BITS +: SIMD*INPUT_BITS];
            reg  [SUM_BITS-1:0] accumulator;
            wire [SUM_BITS-1:0] so_far = is_first[2] ? {SUM_BITS{1'b0}} : accumulator;
            assign sums[p*SUM_BITS +: SUM_BITS] = accumulator;

            if (IS_BINARY != 0) begin : binary
                localparam COUNT_BITS = $clog2(SIMD + 1);
                wire [COUNT_BITS-1:0] found;
                reg  [COUNT_BITS-1:0] count;
                match_count #(.LANES(SIMD)) lanes (.a(lane_operand), .b(row), .found(found));
                always @(posedge clk) if (adds) count <= found;
                always @(posedge clk)
                    if (accumulates) accumulator <= so_far + {{SUM_BITS-COUNT_BITS{1'b0}}, count};
            end else if (HAS_SIGNS != 0) begin : signs
                localparam integer FROM  = WEIGHT_BIPOLAR != 0 ? INPUT_BITS : WEIGHT_BITS;
                localparam integer WIDER =
                    (WEIGHT_BIPOLAR != 0 ? INPUT_SIGNED : WEIGHT_SIGNED) == 0 ? 1 : 0;
                localparam integer LANES_BITS = FROM + WIDER + (SIMD > 1 ? $clog2(SIMD) : 0);
                wire [LANES_BITS-1:0] value;
                wire                  negative;
                reg  [LANES_BITS-1:0] number;
                reg                   subtracts;
                wire [SUM_BITS-1:0]   wide;
                signed_lanes #(
                    .SIMD(SIMD), .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED),
                    .WEIGHT_BITS(WEIGHT_BITS), .WEIGHT_SIGNED(WEIGHT_SIGNED),
                    .WEIGHT_BIPOLAR(WEIGHT_BIPOLAR)
                ) lanes (.operand(lane_operand), .weights(row), .value(value), .negative(negative));
                always @(posedge clk)
                    if (adds) begin
                        number    <= value;
                        subtracts <= negative;
                    end
                resize #(.FROM(LANES_BITS), .TO(SUM_BITS), .SIGNED(1)) widened (.value(number), .result(wide));
                always @(posedge clk)
                    if (accumulates) accumulator <= subtracts ? so_far - wide : so_far + wide;
            end else begin : products
                localparam integer X_BITS = INPUT_BITS + (INPUT_SIGNED == 0 ? 1 : 0);
                localparam integer W_BITS = WEIGHT_BITS + (WEIGHT_SIGNED == 0 ? 1 : 0);
                localparam integer BITS   = W_BITS + X_BITS;
                localparam integer LANES_BITS = BITS + (SIMD > 1 ? $clog2(SIMD) : 0);
                wire [SIMD*BITS-1:0]  found;
                wire [LANES_BITS-1:0] value;
                reg  [LANES_BITS-1:0] number;
                wire [SUM_BITS-1:0]   wide;
                for (t = 0; t < SIMD; t = t + 1) begin : lane
                    wire [INPUT_BITS-1:0]         x = lane_operand[t*INPUT_BITS +: INPUT_BITS];
                    wire signed [X_BITS-1:0]      a;
                    wire [WEIGHT_BITS-1:0]        y = row[t*WEIGHT_BITS +: WEIGHT_BITS];
                    wire signed [W_BITS-1:0]      w;
                    resize #(.FROM(INPUT_BITS), .TO(X_BITS), .SIGNED(INPUT_SIGNED)) widened (
                        .value(x), .result(a));
                    resize #(.FROM(WEIGHT_BITS), .TO(W_BITS), .SIGNED(WEIGHT_SIGNED)) weight (
                        .value(y), .result(w));
                    assign found[t*BITS +: BITS] = a * w;
                end
                sum_tree #(.LANES(SIMD), .BITS(BITS), .SIGNED(1)) lanes (.values(found), .sum(value));
                always @(posedge clk) if (adds) number <= value;
                resize #(.FROM(LANES_BITS), .TO(SUM_BITS), .SIGNED(1)) widened (.value(number), .result(wide));
                always @(posedge clk) if (accumulates) accumulator <= so_far + wide;
            end
        end
    endgenerate

    // ---- stage 4: what goes out ----
    wire [PE*OUTPUT_BITS-1:0] outcome;

    generate
        if (THRESHOLDS == 0) begin : raw
            for (p = 0; p < PE; p = p + 1) begin : pe
                wire [SUM_BITS-1:0] sum = sums[p*SUM_BITS +: SUM_BITS];
                if (DOTS != 0) begin : dots
                    localparam integer DOT_BITS = SUM_BITS + 2;
                    wire [DOT_BITS-1:0] dot = {1'b0, sum, 1'b0} - MATRIX_WIDTH[DOT_BITS-1:0];
                    resize #(.FROM(DOT_BITS), .TO(OUTPUT_BITS), .SIGNED(1)) cut (
                        .value(dot), .result(outcome[p*OUTPUT_BITS +: OUTPUT_BITS]));
                end else begin : plain
                    resize #(.FROM(SUM_BITS), .TO(OUTPUT_BITS), .SIGNED(1 - IS_BINARY)) cut (
                        .value(sum), .result(outcome[p*OUTPUT_BITS +: OUTPUT_BITS]));
                end
            end
        end else begin : activated
            wire [PE*THRESHOLDS*THRESHOLD_BITS-1:0] limits; // of the fold that is in stage 3

            threshold_memory #(.WIDTH_BITS(PE*THRESHOLDS*THRESHOLD_BITS), .DEPTH_WORDS(FOLDS),
                               .FILE(THRESHOLDS_FILE)) memory (
                .clk(clk), .rst(rst), .comes(full[2] & advance), .leaves(full[3] & advance),
                .word(limits));

            for (p = 0; p < PE; p = p + 1) begin : pe
                threshold_levels #(
                    .SUM_BITS(SUM_BITS), .SIGNED(1 - IS_BINARY), .THRESHOLDS(THRESHOLDS),
                    .THRESHOLD_BITS(THRESHOLD_BITS), .LOWEST(LOWEST), .OUTPUT_BITS(OUTPUT_BITS)
                ) fired (
                    .sum(sums[p*SUM_BITS +: SUM_BITS]),
                    .limits(limits[p*THRESHOLDS*THRESHOLD_BITS +: THRESHOLDS*THRESHOLD_BITS]),
                    .level(outcome[p*OUTPUT_BITS +: OUTPUT_BITS]));
            end
        end
    endgenerate

    // ---- to the exit: the word stands in stage 4 for a synapse fold, else it moves on ----
    localparam integer AWAY = PIPELINE_DEPTH - 4;
    reg  [PE*OUTPUT_BITS-1:0] found;
    wire [PE*OUTPUT_BITS-1:0] exit;
    always @(posedge clk) if (full[3] & advance) found <= outcome;

    generate
        if (SYNAPSE_FOLD >= AWAY) begin : stands
            reg [PE*OUTPUT_BITS-1:0] word;
            always @(posedge clk) if (full[PIPELINE_DEPTH-1] & advance) word <= found;
            assign exit = word;
        end else begin : moves
            for (m = 0; m <= AWAY; m = m + 1) begin : stage
                wire [PE*OUTPUT_BITS-1:0] here;
                if (m == 0) begin : first
                    assign here = found;
                end else begin : later
                    reg [PE*OUTPUT_BITS-1:0] word;
                    always @(posedge clk) if (full[3+m] & advance) word <= stage[m-1].here;
                    assign here = word;
                end
            end
            assign exit = stage[AWAY].here;
        end

        if (QUEUES != 0) begin : queued
            queue #(.WIDTH_BITS(PE*OUTPUT_BITS)) behind (
                .clk(clk), .rst(rst), .in_valid(exit_valid), .in_ready(exit_ready), .in_data(exit),
                .out_valid(out_valid), .out_ready(out_ready), .out_data(out_data));
        end else begin : direct
            assign out_valid  = exit_valid;
            assign exit_ready = out_ready;
            assign out_data   = exit;
        end
    endgenerate
    wire unused_control = &{1'b0, full, is_first};
endmodule
