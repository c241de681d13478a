// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's hardware library: Verilog-2005, no vendor's primitives.
//
// Weights of LANES pairs of channels out of a codebook: each pair's number says which kernel it has, and all
// give the same tap. The kernels are logic.

module kernel_taps #(
    parameter LANES       = 1,
    parameter TAPS        = 9,
    parameter NUMBER_BITS = 1,
    parameter TAP_BITS    = 4,
    parameter FILE        = "codebook"
) (
    input  wire [LANES*NUMBER_BITS-1:0] numbers,
    input  wire [TAP_BITS-1:0]          tap,
    output wire [LANES-1:0]             weights
);
    reg [TAPS-1:0] kernels [0:(1 << NUMBER_BITS)-1];
    initial $readmemh({FILE, "_a.hex"}, kernels);

    genvar l;
    generate
        for (l = 0; l < LANES; l = l + 1) begin : lane
            wire [TAPS-1:0] kernel = kernels[numbers[l*NUMBER_BITS +: NUMBER_BITS]];
            assign weights[l] = kernel[tap];
        end
    endgenerate
endmodule
