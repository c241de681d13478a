"""The compiled executor: a graph solved window by window, each as a fixed point of sweeps.

``layout`` makes tables of a graph, ``solver`` goes from window to window, ``counts`` and
``elastic_account`` say where cycles went, ``ended_run`` how a run ends, ``bounded`` goes on with bounds
for flushing pipelines.
"""
