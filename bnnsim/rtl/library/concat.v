// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Concat: whole pixels of every input side by side, the first input in the lowest bits.
//
// Program: a step a word, which reads one of every input and writes them together. One stage.
// Input i brings INPUT_CHANNELS[32*i +: 32] elements of INPUT_BITS[32*i +: 32] bits, made ELEMENT_BITS
// wide; where INPUT_SIGNED[i], with their sign.

module concat #(
    parameter                 INPUTS         = 2,
    parameter                 WORDS          = 4,
    parameter [32*INPUTS-1:0] INPUT_CHANNELS = {INPUTS{32'd2}},
    parameter [32*INPUTS-1:0] INPUT_BITS     = {INPUTS{32'd4}},
    parameter [INPUTS-1:0]    INPUT_SIGNED   = {INPUTS{1'b1}},
    parameter                 ELEMENT_BITS   = 4,
    parameter                 FREEZES        = 0,
    parameter                 FRAME_BITS     = 32,
    parameter                 IN_WIDTH       = 16, // of all inputs' words together
    parameter                 OUT_WIDTH      = 16
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire [FRAME_BITS-1:0] frames,
    input  wire [INPUTS-1:0]     in_valid,
    output wire [INPUTS-1:0]     in_ready,
    input  wire [IN_WIDTH-1:0]   in_data,
    output wire                  out_valid,
    input  wire                  out_ready,
    output wire [OUT_WIDTH-1:0]  out_data
);
    // Where input i's word begins among the inputs, and where its elements begin in the output.
    function integer word_base(input integer index);
        integer i;
        begin
            word_base = 0;
            for (i = 0; i < index; i = i + 1)
                word_base = word_base + INPUT_CHANNELS[32*i +: 32] * INPUT_BITS[32*i +: 32];
        end
    endfunction
    function integer first_element(input integer index);
        integer i;
        begin
            first_element = 0;
            for (i = 0; i < index; i = i + 1)
                first_element = first_element + INPUT_CHANNELS[32*i +: 32];
        end
    endfunction

    wire       step, advance, run_over;
    wire [1:0] full;
    wire       unused_full = full[1];

    frame_end #(.PASSES(WORDS), .COUNTS(FREEZES), .FRAME_BITS(FRAME_BITS)) counter (
        .clk(clk), .rst(rst), .frames(frames), .pass_ends(step), .run_over(run_over));
    pipeline_control #(.PIPELINE_DEPTH(1), .FREEZES(FREEZES), .INPUTS(INPUTS)) control (
        .clk(clk), .rst(rst), .reads(1'b1), .writes(1'b1), .run_over(run_over),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .step(step), .advance(advance), .full(full));

    wire [OUT_WIDTH-1:0] joined;
    genvar i, channel;
    generate
        for (i = 0; i < INPUTS; i = i + 1) begin : operand
            localparam integer BITS     = INPUT_BITS[32*i +: 32];
            localparam integer CHANNELS = INPUT_CHANNELS[32*i +: 32];
            for (channel = 0; channel < CHANNELS; channel = channel + 1) begin : element
                element_value #(.FROM(BITS), .TO(ELEMENT_BITS), .SIGNED(BITS > 1 ? INPUT_SIGNED[i] : 0),
                         .BIPOLAR(0)) extended (
                    .element(in_data[word_base(i) + channel*BITS +: BITS]),
                    .value(joined[(first_element(i) + channel)*ELEMENT_BITS +: ELEMENT_BITS])
                );
            end
        end
    endgenerate

    reg [OUT_WIDTH-1:0] word;
    assign out_data = word;
    always @(posedge clk) if (full[0] & advance) word <= joined;
endmodule
