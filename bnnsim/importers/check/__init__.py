"""Does an imported network compute what its model computes?"""
