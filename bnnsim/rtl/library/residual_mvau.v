// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// MVAU for residual activations: PE rows by SIMD columns a step, one level of the input in each.
//
// Program of a vector: for nf in NEURON_FOLD, for step in FOLD_STEPS (SYNAPSE_FOLD * LEVELS_IN, at least
// LEVELS_OUT): read a word iff nf = 0 and one is left of the vector (it is buffered and reused). The last
// LEVELS_OUT steps write, a level each; in a flushing pipeline, IS_LATE, the first level leaves with the
// last step of its fold and the others with the next steps, those of a frame's last fold with steps of
// their own. Six stages.
//
// Each level's matches count IN_MEANS[level]; a plain input (LEVELS_IN 1, IS_PLAIN) counts its own value.
// Sums have 24 bits, 8 behind the point, and wrap. With an activation, alpha * sum + bias is signed, moved
// towards zero by OUT_MEANS[level] and signed again, a word a level. IS_EXACT: sums have SUM_BITS and hold all
// (+-IN_MEANS[level] a lane, border taps of 0 nothing); how many THRESHOLDS a sum reaches leaves, a bit a
// level or all of it.

module residual_mvau #(
    parameter PE             = 1,
    parameter SIMD           = 1,
    parameter MATRIX_HEIGHT  = 2,
    parameter MATRIX_WIDTH   = 4,
    parameter VECTORS        = 1,
    parameter GROUPS         = 1,
    parameter INPUT_BITS     = 1,
    parameter INPUT_SIGNED   = 0,
    parameter INPUT_BIPOLAR  = 0,
    parameter INPUT_FRACTION = 0,
    parameter IS_PLAIN       = 0,
    parameter HAS_ACTIVATION = 1,
    parameter OUTPUT_BITS    = 1,
    parameter LEVELS_IN      = 2,
    parameter LEVELS_OUT     = 2,
    parameter SUM_BITS       = 24,
    parameter MEAN_BITS      = 24,
    parameter IS_EXACT       = 0,
    parameter WEIGHT_BITS    = 1,  // this and the rest: exact ones alone
    parameter WEIGHT_SIGNED  = 0,
    parameter WEIGHT_BIPOLAR = 1,
    parameter THRESHOLDS     = 0,
    parameter THRESHOLD_BITS = 1,
    parameter LOWEST         = 0,
    parameter WEIGHT_MEMORIES = 1, // or one a PE
    parameter PIPELINE_DEPTH = 6,
    parameter FREEZES        = 0,
    parameter FRAME_BITS     = 32,
    parameter WEIGHTS_FILE   = "weights",
    parameter IN_MEANS_FILE  = "in_means",
    parameter OUT_MEANS_FILE = "out_means",
    parameter ALPHA_FILE     = "alpha",
    parameter BIAS_FILE      = "bias",
    parameter THRESHOLDS_FILE = "thresholds"
) (
    input  wire                       clk,
    input  wire                       rst,
    input  wire [FRAME_BITS-1:0]      frames,
    input  wire                       in_valid,
    output wire                       in_ready,
    input  wire [SIMD*INPUT_BITS-1:0] in_data,
    output wire                       out_valid,
    input  wire                       out_ready,
    output wire [PE*OUTPUT_BITS-1:0]  out_data
);
    localparam integer SYNAPSE_FOLD = MATRIX_WIDTH / SIMD;
    localparam integer NEURON_FOLD  = MATRIX_HEIGHT / PE;
    localparam integer WORDS        = SYNAPSE_FOLD * LEVELS_IN; // a vector
    localparam integer FOLD_STEPS   = WORDS > LEVELS_OUT ? WORDS : LEVELS_OUT;
    localparam integer IS_LATE      = FREEZES == 0 && LEVELS_OUT > 1 ? 1 : 0;
    localparam integer WEIGHTS      = GROUPS * NEURON_FOLD * SYNAPSE_FOLD;
    localparam integer WORD_AT_BITS = WEIGHTS > 1 ? $clog2(WEIGHTS) : 1;
    localparam integer ROWS         = GROUPS * NEURON_FOLD;
    localparam integer ROW_BITS     = ROWS > 1 ? $clog2(ROWS) : 1;
    localparam integer STEP_BITS    = $clog2(FOLD_STEPS + 1);
    localparam integer LEVEL_BITS   = LEVELS_OUT > 1 ? $clog2(LEVELS_OUT) : 1;
    // Advances from a fold's last step to the exit of its first level; some stages need not be there.
    localparam integer LATENCY = IS_LATE != 0 ? PIPELINE_DEPTH : PIPELINE_DEPTH + 1 - LEVELS_OUT;
    localparam integer COUNT   = LATENCY >= 4 ? 1 : 0; // matches in a register
    localparam integer PRODUCT = LATENCY >= 5 ? 1 : 0; // alpha * sum
    localparam integer MOVED   = LATENCY >= 6 ? 1 : 0; // alpha * sum + bias
    localparam integer SUM_AT  = 2 + COUNT;            // the stage that holds the sum

    wire                    step, advance, run_over, fold_last, vector_last, frame_last;
    wire [PIPELINE_DEPTH:0] full;
    reg  [STEP_BITS-1:0]    position;  // step of the fold
    reg                     is_stored; // nf > 0: the vector comes out of the buffer
    wire                    is_tail;   // steps behind the frame's last fold
    wire                    writes;
    wire [STEP_BITS-1:0]    words_a_fold = WORDS[STEP_BITS-1:0];
    localparam integer LAST_STEP  = FOLD_STEPS - 1;
    localparam integer FIRST_EXIT = FOLD_STEPS - LEVELS_OUT;
    wire first_step = position == {STEP_BITS{1'b0}};
    wire last_step  = position == LAST_STEP[STEP_BITS-1:0];
    wire has_word   = !is_tail & position < words_a_fold;
    wire in_fold    = step & !is_tail;

    turns #(.COUNT(NEURON_FOLD)) neuron_fold (
        .clk(clk), .rst(rst), .next(in_fold & last_step), .last(fold_last));
    assign vector_last = last_step & fold_last;
    turns #(.COUNT(VECTORS)) vector (
        .clk(clk), .rst(rst), .next(in_fold & vector_last), .last(frame_last));
    frame_end #(.PASSES(VECTORS), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(in_fold & vector_last), .run_over(run_over));
    generate
        if (IS_LATE != 0) begin : late
            localparam integer MORE = LEVELS_OUT - 1;
            reg [LEVEL_BITS-1:0] owed;
            reg                  tail;
            wire owes = owed != {LEVEL_BITS{1'b0}}; // a level of the fold before is still to leave
            assign is_tail = tail;
            assign writes  = owes | (last_step & !tail);
            wire one_left = owed == {{(LEVEL_BITS - 1) {1'b0}}, 1'b1};
            always @(posedge clk)
                if (rst) begin
                    owed <= {LEVEL_BITS{1'b0}};
                    tail <= 1'b0;
                end else if (step) begin
                    if (!tail & last_step) owed <= MORE[LEVEL_BITS-1:0];
                    else if (owes) owed <= owed - 1'b1;
                    tail <= tail ? !one_left : vector_last & frame_last;
                end
        end else begin : in_time
            wire unused_last = frame_last;
            assign is_tail = 1'b0;
            if (FIRST_EXIT == 0) begin : always_writes
                assign writes = 1'b1;
            end else begin : writes_at_the_end
                assign writes = position >= FIRST_EXIT[STEP_BITS-1:0];
            end
        end
    endgenerate
    pipeline_control #(.PIPELINE_DEPTH(PIPELINE_DEPTH), .FREEZES(FREEZES)) control (
        .clk(clk), .rst(rst), .reads(has_word & !is_stored),
        .writes(writes),
        .run_over(run_over), .in_valid(in_valid), .in_ready(in_ready),
        .out_valid(out_valid), .out_ready(out_ready), .step(step), .advance(advance), .full(full));
    always @(posedge clk)
        if (rst) begin
            position  <= {STEP_BITS{1'b0}};
            is_stored <= 1'b0;
        end else if (in_fold) begin
            position <= last_step ? {STEP_BITS{1'b0}} : position + 1'b1;
            if (last_step) is_stored <= !fold_last;
        end

    // Stage 1: the word, its weights and its level's mean; what each step is travels along.
    localparam integer WORD_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
    reg  [SIMD*INPUT_BITS-1:0] operand;
    wire [SIMD*INPUT_BITS-1:0] stored;
    wire [PE*SIMD*WEIGHT_BITS-1:0] weights;
    reg  [WORD_AT_BITS-1:0]     weight_address;
    reg  [PIPELINE_DEPTH:1]    uses, begins, ends; // a word; a fold begins, ends
    wire                       level_last;
    wire [LEVELS_IN*MEAN_BITS-1:0] in_means;
    generate
        if (NEURON_FOLD > 1) begin : buffer
            (* ram_style = "distributed" *) reg [SIMD*INPUT_BITS-1:0] words [0:WORDS-1];
            assign stored = words[position[WORD_BITS-1:0]];
            always @(posedge clk)
                if (step & has_word & !is_stored) words[position[WORD_BITS-1:0]] <= in_data;
        end else begin : no_buffer
            assign stored = in_data;
        end
        if (IS_PLAIN == 0) begin : means
            rom #(.WIDTH_BITS(LEVELS_IN * MEAN_BITS), .DEPTH_WORDS(1), .ADDRESS_BITS(1),
                  .FILE(IN_MEANS_FILE)) memory (
                .clk(clk), .read(advance), .address(1'b0), .word(in_means));
        end else begin : no_means
            assign in_means = {LEVELS_IN * MEAN_BITS{1'b0}};
        end
    endgenerate
    turns #(.COUNT(LEVELS_IN)) level (
        .clk(clk), .rst(rst), .next(step & has_word), .last(level_last));
    localparam integer LAST_WEIGHT = WEIGHTS - 1;
    always @(posedge clk)
        if (rst) weight_address <= {WORD_AT_BITS{1'b0}};
        else if (step & has_word & level_last)
            weight_address <= weight_address == LAST_WEIGHT[WORD_AT_BITS-1:0]
                ? {WORD_AT_BITS{1'b0}} : weight_address + 1'b1;
    weight_memory #(
        .PE(PE), .ROW_BITS(SIMD * WEIGHT_BITS), .MEMORIES(WEIGHT_MEMORIES), .DEPTH_WORDS(WEIGHTS),
        .ADDRESS_BITS(WORD_AT_BITS), .FILE(WEIGHTS_FILE)
    ) memory (.clk(clk), .read(step & has_word), .address(weight_address), .rows(weights));
    always @(posedge clk) begin
        if (step & has_word) operand <= is_stored ? stored : in_data;
        if (rst) begin
            uses   <= {PIPELINE_DEPTH{1'b0}};
            begins <= {PIPELINE_DEPTH{1'b0}};
            ends   <= {PIPELINE_DEPTH{1'b0}};
        end else if (advance) begin
            uses   <= {uses[PIPELINE_DEPTH-1:1], step & has_word};
            begins <= {begins[PIPELINE_DEPTH-1:1], in_fold & first_step};
            ends   <= {ends[PIPELINE_DEPTH-1:1], in_fold & last_step};
        end
    end

    // The level whose mean the word in stage 1 takes, and the one that leaves.
    localparam integer IN_LEVEL_BITS = LEVELS_IN > 1 ? $clog2(LEVELS_IN) : 1;
    localparam integer LAST_IN       = LEVELS_IN - 1;
    localparam integer LAST_OUT      = LEVELS_OUT - 1;
    reg [IN_LEVEL_BITS-1:0] in_level;
    reg [LEVEL_BITS-1:0]    out_level;
    always @(posedge clk)
        if (rst) in_level <= {IN_LEVEL_BITS{1'b0}};
        else if (advance & uses[1])
            in_level <= in_level == LAST_IN[IN_LEVEL_BITS-1:0] ? {IN_LEVEL_BITS{1'b0}} : in_level + 1'b1;
    wire exits = full[PIPELINE_DEPTH-1] & advance;
    always @(posedge clk)
        if (rst) out_level <= {LEVEL_BITS{1'b0}};
        else if (exits)
            out_level <= out_level == LAST_OUT[LEVEL_BITS-1:0] ? {LEVEL_BITS{1'b0}} : out_level + 1'b1;
    wire [MEAN_BITS-1:0] in_mean = in_means[in_level*MEAN_BITS +: MEAN_BITS];

    // The numbers of the rows whose sums are ready a stage later.
    localparam integer HAS_ROWS   = HAS_ACTIVATION != 0 || THRESHOLDS != 0 ? 1 : 0;
    localparam integer LIMIT_BITS = (THRESHOLDS > 0 ? THRESHOLDS : 1) * THRESHOLD_BITS; // of a PE
    wire                           sum_ends = advance & ends[SUM_AT-1];
    wire [ROW_BITS-1:0]            row;
    wire [PE*SUM_BITS-1:0]         alphas, biases;
    wire [PE*LIMIT_BITS-1:0]       limits;
    wire [LEVELS_OUT*SUM_BITS-1:0] out_means;
    generate
        if (HAS_ROWS != 0) begin : of_rows
            reg [ROW_BITS-1:0] address;
            wire row_last;
            turns #(.COUNT(ROWS)) rows (.clk(clk), .rst(rst), .next(sum_ends), .last(row_last));
            always @(posedge clk)
                if (rst) address <= {ROW_BITS{1'b0}};
                else if (sum_ends) address <= row_last ? {ROW_BITS{1'b0}} : address + 1'b1;
            assign row = address;
        end else begin : of_none
            assign row = {ROW_BITS{1'b0}};
            wire unused_row = &{1'b0, sum_ends, row};
        end
        if (HAS_ACTIVATION != 0) begin : activation
            rom #(.WIDTH_BITS(PE * SUM_BITS), .DEPTH_WORDS(ROWS), .ADDRESS_BITS(ROW_BITS),
                  .FILE(ALPHA_FILE)) alpha_memory (
                .clk(clk), .read(sum_ends), .address(row), .word(alphas));
            rom #(.WIDTH_BITS(PE * SUM_BITS), .DEPTH_WORDS(ROWS), .ADDRESS_BITS(ROW_BITS),
                  .FILE(BIAS_FILE)) bias_memory (
                .clk(clk), .read(sum_ends), .address(row), .word(biases));
            rom #(.WIDTH_BITS(LEVELS_OUT * SUM_BITS), .DEPTH_WORDS(1), .ADDRESS_BITS(1),
                  .FILE(OUT_MEANS_FILE)) mean_memory (
                .clk(clk), .read(advance), .address(1'b0), .word(out_means));
        end else begin : no_activation
            assign alphas    = {PE * SUM_BITS{1'b0}};
            assign biases    = {PE * SUM_BITS{1'b0}};
            assign out_means = {LEVELS_OUT * SUM_BITS{1'b0}};
        end
        if (THRESHOLDS != 0) begin : fires
            rom #(.WIDTH_BITS(PE * LIMIT_BITS), .DEPTH_WORDS(ROWS), .ADDRESS_BITS(ROW_BITS),
                  .FILE(THRESHOLDS_FILE)) limit_memory (
                .clk(clk), .read(sum_ends), .address(row), .word(limits));
        end else begin : no_thresholds
            assign limits = {PE * LIMIT_BITS{1'b0}};
        end
    endgenerate
    wire [SUM_BITS-1:0] out_mean = out_means[out_level*SUM_BITS +: SUM_BITS];
    wire                is_first_level = out_level == {LEVEL_BITS{1'b0}};

    genvar p;
    generate
        for (p = 0; p < PE; p = p + 1) begin : element
            if (IS_EXACT != 0) begin : exact
                level_pe #(
                    .SIMD(SIMD), .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED),
                    .INPUT_BIPOLAR(INPUT_BIPOLAR), .WEIGHT_BITS(WEIGHT_BITS),
                    .WEIGHT_SIGNED(WEIGHT_SIGNED), .WEIGHT_BIPOLAR(WEIGHT_BIPOLAR),
                    .IS_PLAIN(IS_PLAIN), .SUM_BITS(SUM_BITS), .MEAN_BITS(MEAN_BITS),
                    .THRESHOLDS(THRESHOLDS), .THRESHOLD_BITS(THRESHOLD_BITS), .LOWEST(LOWEST),
                    .LEVELS_OUT(LEVELS_OUT), .OUTPUT_BITS(OUTPUT_BITS),
                    .COUNT(COUNT), .PRODUCT(PRODUCT), .MOVED(MOVED)
                ) lanes (
                    .clk(clk), .advance(advance), .uses(uses[SUM_AT-1]), .begins(begins[SUM_AT-1]),
                    .operand(operand), .weights(weights[p*SIMD*WEIGHT_BITS +: SIMD*WEIGHT_BITS]),
                    .in_mean(in_mean), .limits(limits[p*LIMIT_BITS +: LIMIT_BITS]),
                    .exits(exits), .is_first_level(is_first_level),
                    .value(out_data[p*OUTPUT_BITS +: OUTPUT_BITS]));
            end else begin : rounded
                residual_pe #(
                    .SIMD(SIMD), .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED),
                    .INPUT_BIPOLAR(INPUT_BIPOLAR), .INPUT_FRACTION(INPUT_FRACTION),
                    .IS_PLAIN(IS_PLAIN), .HAS_ACTIVATION(HAS_ACTIVATION), .OUTPUT_BITS(OUTPUT_BITS),
                    .COUNT(COUNT), .PRODUCT(PRODUCT), .MOVED(MOVED)
                ) lanes (
                    .clk(clk), .advance(advance), .uses(uses[SUM_AT-1]), .begins(begins[SUM_AT-1]),
                    .operand(operand), .weights(weights[p*SIMD +: SIMD]), .in_mean(in_mean),
                    .alpha(alphas[p*SUM_BITS +: SUM_BITS]), .bias(biases[p*SUM_BITS +: SUM_BITS]),
                    .exits(exits), .is_first_level(is_first_level), .out_mean(out_mean),
                    .value(out_data[p*OUTPUT_BITS +: OUTPUT_BITS]));
            end
        end
    endgenerate
    wire unused_numbers = &{1'b0, alphas, biases, limits, out_mean};
    wire unused_stages = &{1'b0, uses, begins, ends, full};
endmodule
