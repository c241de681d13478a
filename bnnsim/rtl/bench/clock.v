// SPDX-License-Identifier: Apache-2.0
// Part of bnnsim's bench: the clock, for simulators that need one in Verilog.

`timescale 1ns / 1ps
module clock;
    reg clk = 1'b0;
    always #5 clk = !clk;
    bench bench (.clk(clk));
endmodule
