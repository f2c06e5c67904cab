// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// The part of Multicall3's interface that the daemon and its tests call, with the same selectors and results.
contract Multicall {
    struct Wanted {
        address target;
        bool allowFailure;
        bytes callData;
    }

    struct Got {
        bool success;
        bytes returnData;
    }

    error Refused(uint256 index);

    function aggregate3(Wanted[] calldata wanted) external payable returns (Got[] memory got) {
        got = new Got[](wanted.length);
        for (uint256 i = 0; i < wanted.length; i++) {
            (got[i].success, got[i].returnData) = wanted[i].target.call(wanted[i].callData);
            if (!got[i].success && !wanted[i].allowFailure) revert Refused(i);
        }
    }

    function getBlockNumber() external view returns (uint256) {
        return block.number;
    }

    function getCurrentBlockTimestamp() external view returns (uint256) {
        return block.timestamp;
    }

    function getChainId() external view returns (uint256) {
        return block.chainid;
    }

    function getEthBalance(address holder) external view returns (uint256) {
        return holder.balance;
    }
}
