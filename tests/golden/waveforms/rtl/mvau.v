// Binary matrix-vector-activation unit, PE rows by SIMD columns a cycle, with valid/ready streams.
// Row nf * PE + p belongs to PE p; popcounts of matches go against a threshold each.
module mvau #(
    parameter PE = 1,
    parameter SIMD = 1,
    parameter SYNAPSE_FOLD = 1,
    parameter NEURON_FOLD = 1,
    parameter THRESHOLD_BITS = 8,
    parameter IS_STRICT = 1,           // fires on sum > threshold, else on sum >= threshold
    parameter IS_POPCOUNT = 1,         // sum is the count of matches, else matches - mismatches
    parameter WEIGHTS = "",
    parameter THRESHOLDS = ""
) (
    input wire clock,
    input wire reset,
    input wire in_valid,
    output wire in_ready,
    input wire [SIMD-1:0] in_data,
    output reg out_valid,
    input wire out_ready,
    output reg [PE-1:0] out_data
);
    reg [PE*SIMD-1:0] weights [0:SYNAPSE_FOLD*NEURON_FOLD-1];
    reg [PE*THRESHOLD_BITS-1:0] thresholds [0:NEURON_FOLD-1];
    reg [SIMD-1:0] vector [0:SYNAPSE_FOLD-1];
    reg signed [31:0] sum [0:PE-1];
    integer sf, nf, p, s;

    initial begin
        $readmemh(WEIGHTS, weights);
        $readmemh(THRESHOLDS, thresholds);
    end

    // The exit holds one word; a step that would write waits until it is free.
    wire exit_is_free = !out_valid || out_ready;
    wire writes = sf == SYNAPSE_FOLD - 1;
    wire reads = nf == 0;
    wire steps = (!reads || in_valid) && (!writes || exit_is_free);
    assign in_ready = reads && (!writes || exit_is_free);

    wire [SIMD-1:0] word = reads ? in_data : vector[sf];
    wire [PE*SIMD-1:0] weight = weights[nf * SYNAPSE_FOLD + sf];
    reg signed [31:0] next_sum [0:PE-1];
    reg signed [THRESHOLD_BITS-1:0] threshold;
    reg [PE-1:0] fires;

    always @* begin
        fires = 0;
        for (p = 0; p < PE; p = p + 1) begin
            next_sum[p] = (sf == 0) ? 0 : sum[p];
            for (s = 0; s < SIMD; s = s + 1)
                if (word[s] == weight[p * SIMD + s])
                    next_sum[p] = next_sum[p] + 1;
                else if (!IS_POPCOUNT)
                    next_sum[p] = next_sum[p] - 1;
            threshold = thresholds[nf][p * THRESHOLD_BITS +: THRESHOLD_BITS];
            fires[p] = IS_STRICT ? next_sum[p] > threshold : next_sum[p] >= threshold;
        end
    end

    integer q;
    always @(posedge clock) begin
        if (reset) begin
            sf <= 0;
            nf <= 0;
            out_valid <= 0;
        end else begin
            if (out_valid && out_ready) out_valid <= 0;
            if (steps) begin
                if (reads) vector[sf] <= in_data;
                for (q = 0; q < PE; q = q + 1) sum[q] <= next_sum[q];
                if (writes) begin
                    out_valid <= 1;
                    out_data <= fires;
                    nf <= (nf == NEURON_FOLD - 1) ? 0 : nf + 1;
                end
                sf <= writes ? 0 : sf + 1;
            end
        end
    end
endmodule
