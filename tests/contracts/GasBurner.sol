// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// A token whose `balanceOf` takes all the gas it is given.
contract GasBurner {
    function balanceOf(address) external view returns (uint256 spins) {
        while (gasleft() > 0) spins++;
    }
}
