// Feeds a unit with the golden input words and holds every output word against the golden one.
// Gaps in valid and ready come from a shift register, so that back pressure is exercised too.
`timescale 1ns / 1ps
module testbench;
    parameter IN_WORDS = 1;
    parameter OUT_WORDS = 1;
    parameter PE = 1;
    parameter SIMD = 1;
    parameter SYNAPSE_FOLD = 1;
    parameter NEURON_FOLD = 1;
    parameter THRESHOLD_BITS = 8;
    parameter IS_STRICT = 1;
    parameter IS_POPCOUNT = 1;
    parameter IN_FILE = "";
    parameter OUT_FILE = "";
    parameter WEIGHTS = "";
    parameter THRESHOLDS = "";

    reg clock = 0;
    reg reset = 1;
    always #5 clock = !clock;

    reg [SIMD-1:0] in_words [0:IN_WORDS-1];
    reg [PE-1:0] out_words [0:OUT_WORDS-1];
    integer taken = 0;
    integer given = 0;
    integer wrong = 0;
    integer cycles = 0;
    reg [15:0] lfsr = 16'hace1;

    reg offers = 0;
    reg accepts = 0;
    wire in_valid = offers && taken < IN_WORDS;
    wire in_ready;
    wire out_valid;
    wire [PE-1:0] out_data;

    mvau #(
        .PE(PE), .SIMD(SIMD), .SYNAPSE_FOLD(SYNAPSE_FOLD), .NEURON_FOLD(NEURON_FOLD),
        .THRESHOLD_BITS(THRESHOLD_BITS), .IS_STRICT(IS_STRICT), .IS_POPCOUNT(IS_POPCOUNT),
        .WEIGHTS(WEIGHTS), .THRESHOLDS(THRESHOLDS)
    ) unit (
        .clock(clock), .reset(reset),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_data(in_words[taken < IN_WORDS ? taken : 0]),
        .out_valid(out_valid), .out_ready(accepts), .out_data(out_data)
    );

    initial begin
        $readmemh(IN_FILE, in_words);
        $readmemh(OUT_FILE, out_words);
        repeat (2) @(negedge clock);
        reset = 0;
    end

    // Everything is sampled at the rising edge; this side changes at the falling one.
    always @(posedge clock) if (!reset) begin
        cycles = cycles + 1;
        if (out_valid && accepts) begin
            if (out_data !== out_words[given]) begin
                wrong = wrong + 1;
                if (wrong <= 5)
                    $display("word %0d: expected %h, got %h", given, out_words[given], out_data);
            end
            given = given + 1;
        end
        if (in_valid && in_ready) taken <= taken + 1;
        if (given == OUT_WORDS) begin
            $display("%s: %0d words in, %0d words out, %0d wrong",
                     wrong == 0 ? "PASS" : "FAIL", taken, given, wrong);
            $finish;
        end
        if (cycles > 100 * (IN_WORDS + OUT_WORDS) * NEURON_FOLD) begin
            $display("FAIL: no more words after %0d of %0d", given, OUT_WORDS);
            $finish;
        end
    end

    always @(negedge clock) begin
        lfsr = {lfsr[14:0], lfsr[15] ^ lfsr[13] ^ lfsr[12] ^ lfsr[10]};
        offers = lfsr[1:0] != 0;
        accepts = lfsr[4:3] != 0;
    end
endmodule
