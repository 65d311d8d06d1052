"""A second district beside the one of the small site, for what a recording leaves out."""

FAR = """
[[districts]]
key = "far"
name = {zh = "远区", en = "Far District"}
streets = [{key = "f01", name = {zh = "丙街道", en = "Third Street"}, grids = ["f01-01"]}]
"""
