"""The one small language of conditions and formulas.

expression          texts checked, and run as SQL, on arrays or on plain values
nodes               its checked steps
three_valued        its operations, on arrays and on plain values
formulas            all formulas of one customer as one function
conditions          all conditions on one customer's rows in a few calls
"""
